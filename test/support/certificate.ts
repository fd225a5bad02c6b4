import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from './find-tool.ts';

/** A certificate for 127.0.0.1, signed by an authority of its own. */
export interface Certificate {
  /** The files of the certificate, its key and the authority's certificate. */
  certFile: string;
  keyFile: string;
  caFile: string;
  /** The authority's certificate as text. */
  ca: string;
}

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAYS = ['-days', '2'];

/** Makes the certificate in `folder`, by openssl. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const openssl = (...args: string[]) => run(findTool('openssl', 'openssl'), args, { cwd: folder });
  const authority = ['-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test authority'];
  await openssl('req', '-x509', ...KEY, ...authority, ...DAYS);
  const request = ['-keyout', 'redis.key', '-out', 'redis.csr', '-subj', '/CN=redis'];
  await openssl('req', '-new', ...KEY, ...request, '-addext', 'subjectAltName=IP:127.0.0.1');
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
  await openssl('x509', '-req', '-in', 'redis.csr', '-out', 'redis.crt', ...signed, ...DAYS);
  const caFile = join(folder, 'ca.crt');
  const ca = await readFile(caFile, 'utf8');
  return { certFile: join(folder, 'redis.crt'), keyFile: join(folder, 'redis.key'), caFile, ca };
}

/** Settings of Redis, or of a Sentinel, for speaking TLS on `port` and to the servers that it connects to. */
export function tlsSettings({ certFile, keyFile, caFile }: Certificate, port: number): (readonly [string, string])[] {
  return [
    ['tls-port', String(port)],
    ['tls-cert-file', certFile],
    ['tls-key-file', keyFile],
    ['tls-ca-cert-file', caFile],
    ['tls-auth-clients', 'no'],
    ['tls-replication', 'yes'],
  ];
}

/** The same as arguments of redis-server. */
export function tlsArguments(certificate: Certificate, port: number): string[] {
  return tlsSettings(certificate, port).flatMap(([name, value]) => [`--${name}`, value]);
}
