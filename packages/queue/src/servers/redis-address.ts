/** Where a server listens. */
export interface HostAndPort {
  host: string;
  port: number;
}

/** Who logs in to Redis. */
export interface Login {
  username?: string;
  password?: string;
}

/**
 * One Redis as REDIS_URL names it.
 *
 * | kind       | Redis is                                                                                   |
 * | ---------- | ------------------------------------------------------------------------------------------ |
 * | `server`   | the server at `url`                                                                        |
 * | `sentinel` | the master that the Sentinels at `hosts` know as `masterName`                              |
 * | `cluster`  | the master that has the slot of a key; any node tells which it is, and `hosts` are some of them |
 */
export type RedisAddress =
  | { kind: 'server'; url: string }
  | ({
      kind: 'sentinel';
      hosts: HostAndPort[];
      masterName: string;
      database: number;
      sentinelPassword?: string;
    } & Replicated)
  | ({ kind: 'cluster'; hosts: HostAndPort[] } & Replicated);

interface Replicated {
  isTls: boolean;
  login: Login;
}

/** The addresses in REDIS_URL, or why it has none. The fault names the variable, and never repeats the value. */
export type ReadRedisUrl = { addresses: RedisAddress[] } | { fault: string };

const FORMS = `REDIS_URL must look like one of
  redis://[user:password@]host:port[/database]
  redis://host:port,redis://host:port (several servers)
  redis+sentinel://[user:password@]host:port,host:port/name[/database][?sentinelPassword=password]
  redis+cluster://[user:password@]host:port,host:port
with rediss in the place of redis for TLS`;

const SENTINEL_PORT = 26_379;
const REDIS_PORT = 6379;

/** `rediss?`, the kind, the login, the hosts, the path and the query. The last `@` ends the login. */
const REPLICATED = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/;

/** Reads REDIS_URL. Several servers are separated by commas. */
export function readRedisUrl(text: string): ReadRedisUrl {
  if (/^rediss?\+/.test(text)) return readReplicated(text);
  // A comma may be part of a password.
  const urls = text.split(/,(?=[a-z+]+:\/\/)/);
  const wrong = urls.findIndex((url) => !isServerUrl(url));
  if (wrong >= 0) return fault(urls.length > 1 ? `Its server ${wrong + 1} of ${urls.length} does not.` : '');
  if (new Set(urls).size < urls.length) return { fault: 'REDIS_URL must name each of its servers once' };
  return { addresses: urls.map((url) => ({ kind: 'server', url })) };
}

/** Returns the hosts of a REDIS_URL for a message, without any password. */
export function describeRedisUrl(text: string): string {
  const read = readRedisUrl(text);
  if ('fault' in read) return 'REDIS_URL';
  return read.addresses
    .map((address) =>
      address.kind === 'server'
        ? new URL(address.url).host
        : address.hosts.map(({ host, port }) => `${host}:${port}`).join(','),
    )
    .join(',');
}

function fault(detail: string): ReadRedisUrl {
  return { fault: [FORMS, detail].filter((part) => part !== '').join('. ') };
}

function isServerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(\/\d*)?$/.test(url.pathname);
}

function readReplicated(text: string): ReadRedisUrl {
  const [whole, scheme, kind, login, hostList = '', path = '', query = ''] = REPLICATED.exec(text) ?? [];
  if (whole === undefined) return fault('');
  const hosts = readHosts(hostList, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT);
  if (hosts === undefined) return fault('Each host is a name or an address, and may have a port.');
  const common = { hosts, isTls: scheme === 'rediss', login: readLogin(login) };
  if (kind === 'cluster') {
    if (!/^\/?0?$/.test(path))
      return { fault: 'REDIS_URL must name no database for a Cluster: a Cluster has only one' };
    return { addresses: [{ kind: 'cluster', ...common }] };
  }
  const [, masterName, database = '0'] = /^\/([^/]+)(?:\/(\d+))?$/.exec(path) ?? [];
  if (masterName === undefined)
    return {
      fault:
        'REDIS_URL must end in the name of the master that the Sentinels watch: redis+sentinel://host:port,host:port/name',
    };
  const sentinelPassword = new URLSearchParams(query).get('sentinelPassword');
  return {
    addresses: [
      {
        kind: 'sentinel',
        ...common,
        masterName: decode(masterName),
        database: Number(database),
        ...(sentinelPassword !== null && { sentinelPassword }),
      },
    ],
  };
}

function readHosts(list: string, defaultPort: number): HostAndPort[] | undefined {
  const urls = list
    .split(',')
    .map((host) => (URL.canParse(`redis://${host}`) ? new URL(`redis://${host}`) : undefined));
  const hosts = urls.flatMap((url) =>
    url === undefined || url.hostname === ''
      ? []
      : { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || defaultPort },
  );
  return hosts.length === urls.length ? hosts : undefined;
}

function readLogin(text: string | undefined): Login {
  if (text === undefined) return {};
  const [username = '', ...password] = text.split(':');
  return {
    ...(username !== '' && { username: decode(username) }),
    ...(password.length > 0 && { password: decode(password.join(':')) }),
  };
}

/** A password may hold a percent sign that encodes nothing. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
