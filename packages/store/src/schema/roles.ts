import { classifyError } from '../connection/classify-error.ts';
import { openClient } from '../connection/client.ts';
import { readDatabaseUrl } from '../connection/database-url.ts';
import { ConfigurationError } from '../errors.ts';
import { grantStatements, moveTablesStatement, ROLES, type Role, type RoleNames } from './role-statements.ts';
import { scramVerifier } from './scram.ts';

/** How to make the roles. */
export interface RoleOptions {
  /** A superuser, or a role with CREATEROLE that owns the database. The roles are for this database. */
  adminUrl: string;
  /** Each role's password: ASCII. The one that a role has is replaced. */
  passwords: Readonly<Record<Role, string>>;
  /** Roles that must not be there yet: what logs in as them has another password, and would be locked out. */
  mustBeNew?: readonly Role[];
  /** The schema of the tables; what `?schema=` of the URL says, else `public`. It is made when it is not there. */
  schema?: string;
  /** What their names begin with: `landline` makes landline_owner, landline_worker and landline_reader. */
  prefix?: string;
}

/** How long another session may hold a table whose owner changes, in milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;

/** Under this advisory lock one process makes roles: `landroles` in ASCII, without its last letter, as one bigint. */
const LOCK = '0x6c616e64726f6c65';

/**
 * Makes the roles and gives them their rights, as often as it is called, in one transaction: LOGIN and nothing else for each; to the
 * owner the schema and every table in it that the admin owned (what an older version made); to the worker SELECT, INSERT, UPDATE and DELETE,
 * to the reader SELECT, also on tables that the owner makes later. Migrations run as the owner from then on.
 *
 * @returns  The URL of each role: `adminUrl` with its name and password.
 * @throws   StoreError, for example `42501` where the admin may not make roles; ConfigurationError where one that must be new is there.
 *           Nothing is changed then.
 */
export async function makeRoles({
  adminUrl,
  passwords,
  schema = readDatabaseUrl(adminUrl).schema ?? 'public',
  prefix = 'landline',
  mustBeNew = [],
}: RoleOptions): Promise<Record<Role, string>> {
  const names = roleNames(prefix);
  const client = openClient({ databaseUrl: adminUrl, poolSize: 1, statementTimeoutMs: LOCK_TIMEOUT_MS * 2 });
  try {
    await client.$transaction(
      async (transaction) => {
        const run = (sql: string) => transaction.$executeRawUnsafe(sql);
        await run(
          `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true), pg_advisory_xact_lock(${BigInt(LOCK)})`,
        );
        const rows = await transaction.$queryRawUnsafe<{ rolname: string }[]>('SELECT rolname FROM pg_roles');
        const present = new Set(rows.map(({ rolname }) => rolname));
        refuseThere(mustBeNew.map((role) => names[role]).filter((name) => present.has(name)));
        for (const role of ROLES) {
          const verb = present.has(names[role]) ? 'ALTER' : 'CREATE';
          // oxlint-disable-next-line no-await-in-loop -- one connection
          await run(`${verb} ROLE ${names[role]} LOGIN PASSWORD '${scramVerifier(passwords[role])}'`);
        }
        // oxlint-disable-next-line no-await-in-loop -- one connection
        for (const sql of grantStatements(names, schema)) await run(sql);
        await run(moveTablesStatement(names, schema));
      },
      { timeout: LOCK_TIMEOUT_MS * 6, maxWait: 10_000 },
    );
  } catch (error) {
    throw error instanceof ConfigurationError ? error : classifyError(error);
  } finally {
    await client.$disconnect();
  }
  return urlsOf(adminUrl, names, passwords);
}

function refuseThere(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new ConfigurationError(
    `${names.join(', ')}: already on this server, with a password that is not in this folder. Another Landline may log in with it. Name the folder that has it, or give this Landline a server of its own. --new-passwords replaces it: then give the new URLs to whatever used the old ones.`,
  );
}

function roleNames(prefix: string): RoleNames {
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(prefix)) throw new TypeError(`No prefix for names of roles: ${prefix}`);
  return { owner: `${prefix}_owner`, worker: `${prefix}_worker`, reader: `${prefix}_reader` };
}

function urlsOf(adminUrl: string, names: RoleNames, passwords: RoleOptions['passwords']): Record<Role, string> {
  const urlOf = (role: Role): string => {
    const url = new URL(adminUrl);
    url.username = names[role];
    url.password = encodeURIComponent(passwords[role]);
    return url.href;
  };
  return { owner: urlOf('owner'), worker: urlOf('worker'), reader: urlOf('reader') };
}
