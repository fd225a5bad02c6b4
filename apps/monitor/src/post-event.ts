import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { sign, SIGNATURE_HEADER } from '@landline/webhook';

/** How long the receiver may take to answer, in ms. It answers within milliseconds, or a second later where Redis hangs. */
const ANSWER_LIMIT_MS = 15_000;

/** Sends one event. Resolves with the answer's status; rejects where none came. */
export type PostEvent = (body: string) => Promise<number>;

/** The sender of events, which keeps its connections. */
export interface EventPoster {
  post: PostEvent;
  close(): void;
}

/**
 * Makes the sender of events.
 *
 * @param url     Of our own webhook.
 * @param secret  Of the webhook. Each try is signed anew, for a signature grows old while the receiver is away.
 */
export function createPoster(url: string, secret: string): EventPoster {
  const isTls = new URL(url).protocol === 'https:';
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true });
  const begin = isTls ? requestHttps : requestHttp;
  const post: PostEvent = (body) =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.from(body);
      const headers = {
        'content-type': 'application/json',
        'content-length': bytes.length,
        [SIGNATURE_HEADER]: sign(bytes, secret, Date.now() / 1000),
      };
      const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
      begin(url, { method: 'POST', agent, headers, signal }, (response) => {
        response.on('error', reject);
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      })
        .on('error', reject)
        .end(bytes);
    });
  return { post, close: () => agent.destroy() };
}
