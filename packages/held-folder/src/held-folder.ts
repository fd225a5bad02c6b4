import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { syncFolder, syncParent } from './files.ts';
import { makeFolder } from './make-folder.ts';
import { removeFolder } from './remove-folder.ts';

/**
 * The name of a socket in a process's own folder. The system closes the socket with the process, however the process
 * ends, and no other process can answer on it.
 */
const LOCK = 'lock';

/** The longest path of a socket that every system takes, in bytes. A longer path fails on some systems. */
const SOCKET_PATH_BYTES = 103;

/**
 * The age at which an unfinished folder counts as left by a dead process, in ms. A shorter time could remove a folder
 * that is being made.
 */
const UNFINISHED_MS = 60_000;

/** An unfinished folder holds nothing but the socket. */
const ONLY_LOCK = { isDispensable: (name: string) => name === LOCK };

/** A process's own folder in a folder of several processes. */
export interface OwnFolder {
  path: string;
  /** Its unique name. */
  owner: string;
  /** Releases the folder, so that another process may take it over. */
  release(): Promise<void>;
}

/**
 * Makes a folder with a new name and holds it. Another process finds out by the folder's socket whether its process
 * lives, so neither a reused pid nor a clock can mislead it. This works for all processes of one machine, also in
 * containers that share the folder.
 *
 * @param serve  Serves a connection to the socket.
 */
export async function holdFolder(
  dir: string,
  serve: (socket: Socket) => void = (socket) => socket.destroy(),
): Promise<OwnFolder> {
  await makeFolder(dir);
  const owner = randomBytes(6).toString('hex');
  const path = join(dir, owner);
  // The folder gets its name only once it is held; before, it would count as a dead process's.
  const unfinished = join(dir, `.${owner}`);
  await mkdir(unfinished, { mode: 0o700 });
  const sockets = new Set<Socket>();
  const server = await listen(lockOf(unfinished), (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    serve(socket);
  });
  const release = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    });
  try {
    await rename(unfinished, path);
    await syncFolder(dir);
    // The process that made the parent's folder may have died before it synced the parent.
    await syncParent(dir);
  } catch (error) {
    await release();
    throw error;
  }
  return { path, owner, release };
}

/** Lists the folders in `dir` without this process's own, each with whether its process lives. */
export async function otherFolders(dir: string, owner?: string): Promise<{ path: string; isHeld: boolean }[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && /^[0-9a-f]+$/.test(entry.name))
    .map(({ name }) => name);
  const paths = names.filter((name) => name !== owner).map((name) => join(dir, name));
  return Promise.all(paths.map(async (path) => ({ path, isHeld: await isHeld(lockOf(path)) })));
}

/**
 * Removes unfinished folders of processes that died while making them.
 *
 * @param seen     When each folder was seen first, by `elapsed`. The caller keeps it between calls.
 * @param elapsed  See `Clock`. The age by the system's clock may be wrong.
 */
export async function removeUnfinished(dir: string, seen: Map<string, number>, elapsed: number): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && /^\.[0-9a-f]+$/.test(entry.name))
    .map(({ name }) => name);
  for (const name of seen.keys()) if (!names.includes(name)) seen.delete(name);
  for (const name of names) {
    const firstSeen = seen.get(name) ?? elapsed;
    seen.set(name, firstSeen);
    const path = join(dir, name);
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    if (elapsed - firstSeen > UNFINISHED_MS && !(await isHeld(lockOf(path)))) await removeFolder(path, ONLY_LOCK);
  }
}

/** Returns the socket's path of a folder's process. @throws where the path is too long for the system */
export function lockOf(folder: string): string {
  return shortest(join(folder, LOCK));
}

function listen(path: string, serve: (socket: Socket) => void): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer(serve);
    server.unref();
    server.once('error', fail);
    server.listen(path, () => done(server));
  });
}

/** Returns whether a process answers on the socket. Any error but a refused or missing socket counts as alive. */
function isHeld(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', (error) =>
      done(!('code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT'))),
    );
  });
}

/** Returns the shortest form of a socket's path, which may be a relative one. The system limits the length. */
function shortest(path: string): string {
  const near = relative(process.cwd(), path);
  const short = near !== '' && near.length < path.length ? near : path;
  if (Buffer.byteLength(short) > SOCKET_PATH_BYTES) {
    throw new Error(
      `The path of the socket ${short} has more than ${SOCKET_PATH_BYTES} bytes, which the system does not take. Choose a shorter folder (JOURNAL_DIR, SPOOL_DIR).`,
    );
  }
  return short;
}
