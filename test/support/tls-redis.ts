import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { choosePort } from '@landline/local-servers';
import { findTool } from './find-tool.ts';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { makeTempFolder } from './temp-folder.ts';

/** A Redis that speaks TLS, with a certificate of an authority of its own. */
export interface TlsRedis {
  /** `rediss://…` */
  url: string;
  /** The file with the authority's certificate, and its text. */
  caFile: string;
  ca: string;
  redis: PrivateRedis;
}

const run = promisify(execFile);

/** Starts it. Certificates are made by openssl. */
export async function startTlsRedis(): Promise<TlsRedis> {
  const folder = await makeTempFolder();
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run(findTool('openssl', 'openssl'), args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  );
  await openssl(
    'req',
    '-new',
    ...key,
    '-keyout',
    'redis.key',
    '-out',
    'redis.csr',
    '-subj',
    '/CN=redis',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  );
  await openssl(
    'x509',
    '-req',
    '-in',
    'redis.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'redis.crt',
    '-days',
    '2',
    '-copy_extensions',
    'copy',
  );
  const port = String(await choosePort(0));
  const files = ['--tls-cert-file', file('redis.crt'), '--tls-key-file', file('redis.key')];
  const authority = ['--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'no'];
  const redis = await startPrivateRedis(['--tls-port', port, ...files, ...authority]);
  const { password } = new URL(redis.url);
  const caFile = file('ca.crt');
  return { url: `rediss://:${password}@127.0.0.1:${port}`, caFile, ca: await readFile(caFile, 'utf8'), redis };
}
