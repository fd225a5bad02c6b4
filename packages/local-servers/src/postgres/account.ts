import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LocalServerError } from '../errors.ts';
import type { Account } from '../processes/start-process.ts';

const run = promisify(execFile);
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/**
 * Says as whom Postgres runs: as the caller (undefined), or, since Postgres refuses root, as the owner of the data that
 * is there, else as the user `postgres` or `landline`, of whom the latter is made when there is neither.
 *
 * @throws {LocalServerError} `postgres_failed` when no such user can be made.
 */
export async function choosePostgresAccount(dataFolder: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (
    (await ownerOf(dataFolder)) ?? (await findAccount('postgres')) ?? (await findAccount('landline')) ?? makeAccount()
  );
}

/** Tells whether `account` can enter `folder`. Asked of the system itself, for it also knows ACLs and mount options. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', env: ENVIRONMENT, ...account }).then(
    () => true,
    () => false,
  );
}

async function ownerOf(folder: string): Promise<Account | undefined> {
  const owner = await stat(folder).catch(() => undefined);
  return owner === undefined || owner.uid === 0 ? undefined : { uid: owner.uid, gid: owner.gid };
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function makeAccount(): Promise<Account> {
  let cause: unknown;
  await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'landline'], {
    env: ENVIRONMENT,
  }).catch((error: unknown) => {
    cause = error;
  });
  const account = await findAccount('landline');
  if (account !== undefined) return account;
  throw new LocalServerError(
    'postgres_failed',
    `Postgres does not run as root, and a user for it could not be made.
  Make one (useradd --system landline), run Landline as an ordinary user, or set DATABASE_URL in .env.`,
    { cause },
  );
}
