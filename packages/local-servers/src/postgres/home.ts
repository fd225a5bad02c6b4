import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readlink, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalServerError } from '../errors.ts';
import { canEnter, choosePostgresAccount } from './account.ts';
import { preparePostgresBinaries } from './binaries.ts';
import type { Account } from '../processes/start-process.ts';

/** The folder for binaries and data when Postgres cannot use the clone: see `preparePostgresHome`. */
const ELSEWHERE = '/var/lib/landline';

/** The user that runs Postgres (the caller when undefined), and folders that this user can reach. */
export interface PostgresHome {
  account: Account | undefined;
  binFolder: string;
  dataFolder: string;
}

/**
 * Finds folders for the binaries and the data of `dir`, and makes them reachable.
 *
 * Root starts Postgres as another user, and that user may be unable to enter the clone. An example is /root/landline: /root has mode 700.
 * Then:
 *
 * - the binaries are copied to /var/lib/landline;
 * - the data lies in /var/lib/landline/<hash of dir>;
 * - `dir` becomes a link to the data.
 *
 * @throws {LocalServerError} `postgres_unsupported` or `postgres_failed`.
 */
export async function preparePostgresHome(dir: string): Promise<PostgresHome> {
  const account = await choosePostgresAccount(dir);
  const binFolder = await preparePostgresBinaries(account, ELSEWHERE);
  await mkdir(dirname(dir), { recursive: true, mode: 0o755 });
  const dataFolder = account === undefined ? dir : await findReachable(dir, account);
  return { account, binFolder, dataFolder };
}

async function findReachable(dir: string, account: Account): Promise<string> {
  const linked = await readlink(dir).catch(() => undefined);
  if (linked?.startsWith(`${ELSEWHERE}/`) === true) return makeElsewhere(linked, account);
  if (await canEnter(account, dirname(dir))) return dir;
  const hash = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  const elsewhere = join(ELSEWHERE, hash, 'data');
  await makeElsewhere(elsewhere, account);
  await moveThere(dir, elsewhere);
  await symlink(elsewhere, dir);
  return elsewhere;
}

async function makeElsewhere(dataFolder: string, account: Account): Promise<string> {
  const parent = dirname(dataFolder);
  await mkdir(dirname(parent), { recursive: true, mode: 0o755 });
  await chmod(dirname(parent), 0o755); // the umask may have taken bits away
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await chown(parent, account.uid, account.gid);
  return dataFolder;
}

// Moves data that was made while other users could still enter the folder above.
async function moveThere(dir: string, elsewhere: string): Promise<void> {
  if ((await lstat(dir).catch(() => undefined)) === undefined) return;
  await rename(dir, elsewhere).catch((cause: unknown) => {
    throw new LocalServerError('postgres_failed', `Postgres cannot reach ${dir}. Move it to ${elsewhere} by hand.`, {
      cause,
    });
  });
}
