import { addressOf, type App } from './apps.ts';
import type { Environment } from './env-file.ts';

/** How long one answer may take, in ms. */
const ANSWER_LIMIT_MS = 5_000;

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
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    const said = (await response.text()).slice(0, 300);
    return {
      isServing: true,
      isReady: response.status === app.ready.status,
      text: `${url}: ${response.status} ${said}`,
    };
  } catch {
    return { isServing: false, isReady: false, text: `${url}: no answer` };
  }
}
