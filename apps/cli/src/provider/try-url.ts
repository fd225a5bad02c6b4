import { request } from 'node:https';
import type { UrlTry } from '@landline/operations';

/** How long the answer is waited for, in ms: a person waits for it. */
const WAIT_MS = 5_000;

/** Where a test has its own. */
export interface TryOptions {
  waitMs?: number;
  /** The certificate of an authority that is trusted beside the others. */
  ca?: string;
}

/**
 * Makes one GET of an https URL as a stranger would: over a connection of its own, without credentials, and with the certificate verified whatever the environment
 * says. Redirects are not followed, and nothing of the body is read.
 *
 * @returns  What answered, or why nothing did; never throws.
 */
export function tryUrl(url: string, { waitMs = WAIT_MS, ca }: TryOptions = {}): Promise<UrlTry> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(waitMs);
    const asked = request(url, { agent: false, rejectUnauthorized: true, signal, ...(ca !== undefined && { ca }) });
    asked.once('response', ({ statusCode = 0, headers }) => {
      const { allow = null, location = null, 'content-type': type = null } = headers;
      resolve({ status: statusCode, allow, location, type });
      asked.destroy();
    });
    asked.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ fault: signal.aborted ? 'ETIMEDOUT' : (error.code ?? error.name) }),
    );
    asked.end();
  });
}
