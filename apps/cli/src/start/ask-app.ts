import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { addressOf, type App } from './apps.ts';
import type { Environment } from './env-file.ts';

/** How long one answer may take, in ms. */
const ANSWER_LIMIT_MS = 5_000;

/** Characters of an answer that are told. */
const TOLD_CHARACTERS = 300;

/** What an app answers when it is asked whether it is ready. */
export interface AppAnswer {
  /** Whether it answers at all. */
  isServing: boolean;
  isReady: boolean;
  /** What it said, for the operator. */
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

/** Not by `fetch`, which asks nothing of ports that browsers block, such as 10080: an app may well be there. */
function read(url: string): Promise<{ status: number | undefined; said: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) };
    get(url, options, (response) => {
      text(response).then(
        (said) => resolve({ status: response.statusCode, said: said.slice(0, TOLD_CHARACTERS) }),
        reject,
      );
    }).on('error', reject);
  });
}
