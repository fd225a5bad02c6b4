import { request } from 'node:http';
import type { Logger } from '@landline/process';
import { sign, SIGNATURE_HEADER } from '@landline/webhook';
import { canaryBody } from '@landline/webhook/canary';

/** How long the answer to a canary may take, in milliseconds. */
const ANSWER_LIMIT_MS = 5_000;

/** How canaries are sent. */
export interface CanaryOptions {
  /** The receiver's own public route. */
  url: string;
  /** Accepted keys; the first signs. */
  secrets: readonly string[];
  /** How long to wait before the first canary, and after each answer, in milliseconds. */
  intervalMs: number;
  answerLimitMs?: number;
  logger: Logger;
}

/** Sends canaries until `stop` is called. It warns of the first canary that is not answered 200, and logs the next that is. */
export function startCanary({ url, secrets, intervalMs, answerLimitMs = ANSWER_LIMIT_MS, logger }: CanaryOptions): {
  stop(): void;
} {
  const [secret = ''] = secrets;
  let failing = false;
  let stopped = false;

  async function sendNext(): Promise<void> {
    const fault = await send(url, secret, answerLimitMs);
    if (stopped) return;
    if (fault !== undefined && !failing) logger.warn(`The canary was not taken: ${fault}`);
    if (fault === undefined && failing) logger.info('The canary is taken again');
    failing = fault !== undefined;
    timer = wait();
  }

  const wait = () => setTimeout(() => void sendNext(), intervalMs).unref();
  let timer = wait();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Sends a canary as the provider sends an event. Returns why the answer was not 200; undefined where it was.
 *
 * It does not use `fetch`, which refuses some ports that a receiver may listen at: 5060, 6000, 10080 and others.
 */
function send(url: string, secret: string, limitMs: number): Promise<string | undefined> {
  const sentAt = Date.now();
  const body = canaryBody(sentAt);
  return new Promise((resolve) => {
    const outgoing = request(url, {
      method: 'POST',
      // Each canary has a connection of its own, so that none idles for an interval.
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        [SIGNATURE_HEADER]: sign(body, secret, sentAt / 1000),
      },
      signal: AbortSignal.timeout(limitMs),
    });
    outgoing.on('error', ({ name, message }) =>
      resolve(name === 'AbortError' ? `no answer in ${limitMs / 1000} s` : message),
    );
    outgoing.on('response', (response) => {
      response.on('error', () => undefined).resume();
      resolve(response.statusCode === 200 ? undefined : `the answer was ${response.statusCode}`);
    });
    outgoing.end(body);
  });
}
