import type { FaultClass } from '../errors.ts';

/**
 * Poolers and proxies speak for a database that they have not asked. Most of them use SQLSTATEs that mean something else when Postgres itself
 * says them (XX000, an internal error; 08P01, a protocol violation), so their words tell: those of PgBouncer, Supavisor (Supabase), RDS Proxy,
 * Neon's proxy, Pgpool and Odyssey.
 */
const WORDS: readonly (readonly [FaultClass, RegExp])[] = [
  [
    'resources',
    new RegExp(
      [
        'max_client_conn', // PgBouncer: no more connections allowed (max_client_conn)
        'no more connections allowed',
        'max_(?:db|user)_(?:client_)?connections', // PgBouncer 1.24: client connections exceeded
        'MaxClientsInSessionMode', // Supavisor
        'EMAXCONN',
        'max(?:imum)? client(?:s| connections)(?: are)? reached', // Supavisor: Max client connections reached
        'check ?out .* from the pool', // Supavisor: Unable to check out process from the pool due to timeout
        'ECHECKOUTTIMEOUT',
        'acquire (?:a )?(?:database )?connection', // RDS Proxy: Timed-out waiting to acquire database connection
        'borrow a connection from the pool',
        'acquire permit to connect', // Neon: Too many database connection attempts are currently ongoing
        'too many (?:database )?(?:clients|connections|connection attempts)', // Postgres, Pgpool, Odyssey: too many tcp connections
        'too many tcp connections',
        'exceeded the (?:compute time|data transfer|active time) quota', // Neon
      ].join('|'),
      'i',
    ),
  ],
  [
    'configuration',
    // Supavisor, PgBouncer, RDS Proxy
    /tenant or user not found|no tenant identifier|authentication error, reason|no such (?:user|database)|RDS proxy has no credentials|password authentication failed/i,
  ],
  [
    'connection',
    new RegExp(
      [
        'query_wait_timeout', // PgBouncer
        'server_login_retry', // PgBouncer: server login has been failing
        'server_connect_timeout|server_idle_timeout|server conn crashed|pgbouncer cannot connect|pooler error',
        'the database system is (?:starting up|shutting down|not accepting connections|in recovery mode)',
        'DbHandler(?:Exited| exited)|db_termination|connection to database (?:closed|not available)', // Supavisor
        "couldn't connect to compute node|control plane request failed|console request failed|endpoint is disabled", // Neon
        'failed to connect to remote server|odyssey: .*failed', // Odyssey
        'all backend nodes are down|failed to create a backend', // Pgpool
      ].join('|'),
      'i',
    ),
  ],
];

/** The classes of SQLSTATE that poolers use for their own troubles; undefined: none came at all. */
const AMBIGUOUS = /^(?:XX|08|58000$)/;

/** What a pooler or proxy means, where its SQLSTATE leaves that open; undefined where these are not a pooler's words. */
export function classifyPoolerError(sqlState: string | undefined, message: string): FaultClass | undefined {
  if (sqlState !== undefined && !AMBIGUOUS.test(sqlState)) return undefined;
  return WORDS.find(([, words]) => words.test(message))?.[0];
}
