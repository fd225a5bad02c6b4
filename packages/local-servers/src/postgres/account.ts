import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LocalServerError } from '../errors.ts';
import type { Account } from '../processes/start-process.ts';

const run = promisify(execFile);
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/**
 * Chooses the user that Postgres runs as. Postgres refuses to run as root. When the caller is root, the first of these is taken:
 *
 * 1. the owner of the data, where there is data and root does not own it;
 * 2. the user `postgres`;
 * 3. the user `landline`, which is made where it is missing.
 *
 * @returns The user; undefined when the caller is not root, and Postgres runs as the caller.
 * @throws  {LocalServerError} `postgres_failed`: the user `landline` cannot be made.
 */
export async function choosePostgresAccount(dataFolder: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (
    (await ownerOf(dataFolder)) ?? (await findAccount('postgres')) ?? (await findAccount('landline')) ?? makeAccount()
  );
}

/** Checks whether `account` can enter `folder`. A shell of that user tries, because ACLs and mount options count as well. */
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
