import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readlink, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalServerError } from '../errors.ts';
import { canEnter, choosePostgresAccount } from './account.ts';
import { preparePostgresBinaries } from './binaries.ts';
import type { Account } from '../processes/start-process.ts';

/** Where Postgres lives when it cannot live in the clone: see `preparePostgresHome`. */
const ELSEWHERE = '/var/lib/landline';

/** What is needed to start Postgres: who runs it, and folders which that user can reach. */
export interface PostgresHome {
  account: Account | undefined;
  binFolder: string;
  dataFolder: string;
}

/**
 * Finds a home for the data of `dir`.
 *
 * Started as root, Postgres runs as another user. Where that user cannot enter the clone (say /root/landline, for /root
 * has mode 700), the binaries are copied to /var/lib/landline, the data rests in /var/lib/landline/<hash of dir>, and
 * `dir` becomes a link to it.
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
  await chmod(dirname(parent), 0o755); // whatever the umask made of it
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await chown(parent, account.uid, account.gid);
  return dataFolder;
}

// Data from before the folder above was closed to others.
async function moveThere(dir: string, elsewhere: string): Promise<void> {
  if ((await lstat(dir).catch(() => undefined)) === undefined) return;
  await rename(dir, elsewhere).catch((cause: unknown) => {
    throw new LocalServerError('postgres_failed', `Postgres cannot reach ${dir}. Move it to ${elsewhere} by hand.`, {
      cause,
    });
  });
}
