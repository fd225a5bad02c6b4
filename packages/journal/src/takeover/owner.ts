import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { syncFolder, syncParent } from '../files.ts';
import { makeFolder } from './make-folder.ts';
import { removeFolder } from './remove-folder.ts';

/** A socket in a process's own folder: the system closes it with the process, however that ends, and nobody else can answer on it. */
const LOCK = 'lock';

/** The longest path of a socket that every system takes, in bytes. */
const SOCKET_PATH_BYTES = 103;

/** A folder that is not finished after this time was left by a process that died, in ms. */
const UNFINISHED_MS = 60_000;

/** A process's own folder in the journal's. */
export interface OwnFolder {
  path: string;
  /** Its name, unlike any other. */
  owner: string;
  /** Lets it go; whoever comes next may take it over. */
  release(): Promise<void>;
}

/**
 * Makes a folder of one's own, under a new name, and holds it. A held folder is told from one of a dead process by asking its socket, so neither a pid
 * that was given anew nor a clock can mislead; it works for all processes of one machine, also in containers that share the folder.
 *
 * @param serve  Is given whoever connects to the socket.
 */
export async function holdFolder(
  journalDir: string,
  serve: (socket: Socket) => void = (socket) => socket.destroy(),
): Promise<OwnFolder> {
  await makeFolder(journalDir);
  const owner = randomBytes(6).toString('hex');
  const path = join(journalDir, owner);
  // Not under its name before it is held, or it would look like one of a dead process.
  const unfinished = join(journalDir, `.${owner}`);
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
    await syncFolder(journalDir);
    // Whoever made it may have died before that.
    await syncParent(journalDir);
  } catch (error) {
    await release();
    throw error;
  }
  return { path, owner, release };
}

/** The folders in the journal's folder, each with whether its process lives; this process's own is left out. */
export async function otherFolders(journalDir: string, owner?: string): Promise<{ path: string; isHeld: boolean }[]> {
  const entries = await readdir(journalDir, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && /^[0-9a-f]+$/.test(entry.name))
    .map(({ name }) => name);
  const paths = names.filter((name) => name !== owner).map((name) => join(journalDir, name));
  return Promise.all(paths.map(async (path) => ({ path, isHeld: await isHeld(lockOf(path)) })));
}

/**
 * Removes what processes left that died while they made their folder.
 *
 * @param seen     When each was seen first, by `elapsed`; kept by the caller from one call to the next.
 * @param elapsed  See `Clock`: what the clock says of a folder's age may be wrong.
 */
export async function removeUnfinished(journalDir: string, seen: Map<string, number>, elapsed: number): Promise<void> {
  const entries = await readdir(journalDir, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && /^\.[0-9a-f]+$/.test(entry.name))
    .map(({ name }) => name);
  for (const name of seen.keys()) if (!names.includes(name)) seen.delete(name);
  for (const name of names) {
    const firstSeen = seen.get(name) ?? elapsed;
    seen.set(name, firstSeen);
    const path = join(journalDir, name);
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    if (elapsed - firstSeen > UNFINISHED_MS && !(await isHeld(lockOf(path)))) await removeFolder(path);
  }
}

/** The socket of the process that a folder is of. @throws where its path is too long for the system */
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

/** Only who lived could take the connection; what is in doubt counts as alive. */
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

/** The system allows sockets only a short path; a relative one may be that. */
function shortest(path: string): string {
  const near = relative(process.cwd(), path);
  const short = near !== '' && near.length < path.length ? near : path;
  if (Buffer.byteLength(short) > SOCKET_PATH_BYTES) {
    throw new Error(
      `JOURNAL_DIR is too long a path for the socket in it: ${short} has more than ${SOCKET_PATH_BYTES} bytes. Choose a shorter one.`,
    );
  }
  return short;
}
