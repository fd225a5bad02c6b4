import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { addressOf, type App } from './apps.ts';
import type { Environment } from './env-file.ts';

/** How long an app may take to answer, in ms. */
const ANSWER_LIMIT_MS = 5_000;

/** How much of an answer is shown to the operator, in characters. */
const SHOWN_CHARACTERS = 300;

/** An app's answer to the question whether it is ready. */
export interface AppAnswer {
  /** Whether the app answers at all. */
  isServing: boolean;
  isReady: boolean;
  /** The URL, the status and the body of the answer, for the operator. */
  text: string;
}

/** Asks `app` whether it is ready. Never rejects. */
export async function askApp(app: App, env: Environment): Promise<AppAnswer> {
  const url = `${addressOf(app, env)}${app.ready.path}`;
  try {
    const { status, said } = await read(url);
    return { isServing: true, isReady: status === app.ready.status, text: `${url}: ${status} ${said}` };
  } catch {
    return { isServing: false, isReady: false, text: `${url}: no answer` };
  }
}

/** Sends a GET. It does not use `fetch`, which refuses the ports that browsers block, such as 10080: an app may listen there. */
function read(url: string): Promise<{ status: number | undefined; said: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) };
    get(url, options, (response) => {
      text(response).then(
        (said) => resolve({ status: response.statusCode, said: said.slice(0, SHOWN_CHARACTERS) }),
        reject,
      );
    }).on('error', reject);
  });
}
