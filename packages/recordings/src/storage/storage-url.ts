import { resolve } from 'node:path';

/** A folder of this machine, as an absolute path. */
export interface FolderTarget {
  kind: 'file';
  folder: string;
}

/** A bucket, and where and how its server is reached. */
export interface BucketTarget {
  kind: 's3';
  bucket: string;
  /** What every key begins with: empty, or it ends in `/`. */
  prefix: string;
  /** The server's origin; undefined: AWS. */
  endpoint: string | undefined;
  /** undefined: the SDK finds it (AWS_REGION, the profile). */
  region: string | undefined;
  /** The bucket is part of the path, not of the host's name. */
  isPathStyle: boolean;
}

const EXAMPLES = 'Write file:<folder>, or s3://<bucket>/<prefix>?endpoint=<URL>&region=<region>.';

/** The words after the `?` of an `s3:` URL. */
const WORDS = ['endpoint', 'region', 'path_style'];

/**
 * Parses RECORDINGS_URL. A relative folder is resolved against the working directory.
 *
 * @throws an Error that says what is wrong; it never repeats the URL, which may hold a password by mistake
 */
export function parseStorageUrl(url: string): FolderTarget | BucketTarget {
  if (url.startsWith('file:')) return { kind: 'file', folder: resolve(folderIn(url)) };
  if (url.startsWith('s3:')) return parseBucketUrl(url);
  throw new Error(`The URL of the recordings begins neither with file: nor with s3:. ${EXAMPLES}`);
}

/** The path is literal, as in the rows: nothing in it is decoded. */
function folderIn(url: string): string {
  if (/[?#\0]/.test(url)) throw new Error('A file: URL takes a folder and nothing behind it: no ?, no #.');
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
  if (path.startsWith('//')) throw new Error('A file: URL names no host. Write file:<folder> or file:///<folder>.');
  if (path === '') throw new Error('The file: URL names no folder. Write file:<folder>.');
  return path;
}

function parseBucketUrl(url: string): BucketTarget {
  const { username, password, hostname, pathname, searchParams, hash, port } = parsed(url, 'The s3: URL');
  if (username !== '' || password !== '') {
    throw new Error(
      'The s3: URL must hold no credentials. Put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and change them if they were logged.',
    );
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(hostname) || port !== '') {
    throw new Error(
      'The s3: URL names no bucket: 3 to 63 small letters, digits, - and . right behind s3://. ' +
        'The server of another provider goes into endpoint=.',
    );
  }
  if (hash !== '') throw new Error('The s3: URL takes no #.');
  const words = wordsOf(searchParams);
  const endpoint = words.endpoint === undefined ? undefined : endpointOf(words.endpoint);
  return {
    kind: 's3',
    bucket: hostname,
    prefix: prefixOf(pathname),
    endpoint,
    // Servers other than AWS take any region that the signature names; R2 and MinIO take this one.
    region: words.region ?? (endpoint === undefined ? undefined : 'us-east-1'),
    isPathStyle: words.path_style === undefined ? endpoint !== undefined : words.path_style === 'true',
  };
}

function wordsOf(search: URLSearchParams): Partial<Record<string, string>> {
  for (const word of search.keys()) {
    if (!WORDS.includes(word))
      throw new Error(`The s3: URL takes ${WORDS.join(', ')} behind the ?, and no other word.`);
    if (search.getAll(word).length > 1) throw new Error(`The s3: URL names ${word} twice.`);
  }
  const { region, path_style } = Object.fromEntries(search);
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region)) {
    throw new Error('region= must be a region such as eu-central-1, or auto for R2.');
  }
  if (path_style !== undefined && path_style !== 'true' && path_style !== 'false') {
    throw new Error('path_style= must be true or false.');
  }
  return Object.fromEntries(search);
}

function endpointOf(text: string): string {
  const { protocol, username, password, pathname, search, hash, origin } = parsed(text, 'endpoint=');
  const isPlain = username === '' && password === '' && pathname === '/' && search === '' && hash === '';
  if ((protocol !== 'https:' && protocol !== 'http:') || !isPlain) {
    throw new Error('endpoint= must be an origin such as https://s3.example.com, without path, bucket or credentials.');
  }
  return origin;
}

function prefixOf(pathname: string): string {
  const prefix = pathname.replace(/^\//, '').replace(/\/$/, '');
  if (prefix === '') return '';
  const areNames = prefix.split('/').every((name) => /^(?!\.)[A-Za-z0-9._-]+$/.test(name));
  if (!areNames || prefix.length > 500) {
    throw new Error('The prefix of the s3: URL may hold letters, digits, . _ - and single slashes, 500 at most.');
  }
  return `${prefix}/`;
}

function parsed(text: string, what: string): URL {
  if (!URL.canParse(text)) throw new Error(`${what} is no URL. ${EXAMPLES}`);
  return new URL(text);
}
