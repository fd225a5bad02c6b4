import { makeCertificate, tlsArguments, type Certificate } from './certificate.ts';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { makeTempFolder } from './temp-folder.ts';
import { chooseQuietPort } from './quiet-port.ts';

/** A Redis that speaks TLS, with a certificate of an authority of its own. */
export interface TlsRedis extends Pick<Certificate, 'ca' | 'caFile'> {
  /** `rediss://…` */
  url: string;
  redis: PrivateRedis;
}

/** Starts it. */
export async function startTlsRedis(): Promise<TlsRedis> {
  const certificate = await makeCertificate(await makeTempFolder());
  const port = await chooseQuietPort();
  const redis = await startPrivateRedis(tlsArguments(certificate, port));
  const { password } = new URL(redis.url);
  const { ca, caFile } = certificate;
  return { url: `rediss://:${password}@127.0.0.1:${port}`, ca, caFile, redis };
}
