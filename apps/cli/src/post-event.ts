import { createHmac } from 'node:crypto';
import { request, type Agent, type ClientRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { sign, SIGNATURE_HEADER } from '@landline/webhook';
import type { StreamedBody } from './example-audio.ts';

/** The bytes of an event: whole, or made as they are sent. */
export type EventBody = Buffer | StreamedBody;

/** How long one answer may take, in milliseconds. A receiver under load may be slow; a shorter time would count late answers as faults. */
const ANSWER_LIMIT_MS = 30_000;
/** The receiver writes a large body to its disk before it answers. A slow disk takes 4 MB in a second, under load. */
const WRITTEN_BYTES_PER_MS = 4_000;

/** How an event is sent. */
export interface PostOptions {
  /** The shared secret that signs. */
  secret: string;
  /** Keeps the connections open between requests; used for http only. */
  agent: Agent;
}

/**
 * Signs and sends one body. A streamed body is made twice, once for the signature and once to be sent, in chunks without a
 * length, as ElevenLabs sends audio.
 *
 * It does not use `fetch`, which sends a quarter as many requests a second. `fetch` also refuses some ports, and addresses with a login.
 *
 * @returns  The status with the text of the answer, or why there was no answer. `200` stands alone.
 */
export async function postEvent(url: string, body: EventBody, { secret, agent }: PostOptions): Promise<string> {
  const signature = await signatureOf(body, secret, Math.floor(Date.now() / 1000));
  const limitMs = ANSWER_LIMIT_MS + Math.ceil(lengthOf(body) / WRITTEN_BYTES_PER_MS);
  return new Promise((resolve) => {
    const secure = url.startsWith('https:');
    const outgoing = (secure ? secureRequest : request)(url, {
      method: 'POST',
      ...(secure ? {} : { agent }),
      headers: {
        'content-type': 'application/json',
        ...(Buffer.isBuffer(body) ? { 'content-length': body.length } : {}),
        [SIGNATURE_HEADER]: signature,
      },
      timeout: limitMs,
    });
    // The time counts from the last byte that moved, so a body may take any time to be sent.
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${Math.round(limitMs / 1000)} s`)));
    outgoing.on('error', (error) => resolve(explain(error)));
    outgoing.on('response', (response) => {
      const status = String(response.statusCode);
      text(response)
        .then(
          (said) => resolve(status === '200' ? status : `${status} ${said.slice(0, 300)}`),
          (error: unknown) => resolve(error instanceof Error ? error.message : String(error)),
        )
        // A refusal may come before the end of the body. What is left of it need not be sent.
        .finally(() => outgoing.writableFinished || outgoing.destroy());
    });
    write(body, outgoing);
  });
}

function lengthOf(body: EventBody): number {
  return Buffer.isBuffer(body) ? body.length : body.bytes;
}

function write(body: EventBody, outgoing: ClientRequest): void {
  if (Buffer.isBuffer(body)) outgoing.end(body);
  else {
    // The request's own events tell how it ended.
    pipeline(Readable.from(body.chunks()), outgoing, () => undefined);
  }
}

/** Makes the signature's header. A streamed body gets the header that `sign` makes of the whole one. */
async function signatureOf(body: EventBody, secret: string, timestamp: number): Promise<string> {
  if (Buffer.isBuffer(body)) return sign(body, secret, timestamp);
  const digest = createHmac('sha256', secret).update(`${timestamp}.`);
  for (const chunk of body.chunks()) {
    digest.update(chunk);
    // The other requests go on meanwhile.
    await setImmediate();
  }
  return `t=${timestamp},v0=${digest.digest('hex')}`;
}

/** Describes a failed connection, and names the remedy. */
function explain(error: Error): string {
  const code = 'code' in error ? error.code : '';
  const said = error.message || String(error);
  if (code === 'ECONNREFUSED')
    return `${said}: nothing listens there. Run npm start in another terminal, or see PORT and --url.`;
  if (code === 'EPROTO') return 'no TLS is spoken there: the address begins with http://';
  return said;
}
