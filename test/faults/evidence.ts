import { setTimeout as wait } from 'node:timers/promises';
import { scrape, valueOf, type Scrape } from '../support/scrape.ts';
import type { App } from './app.ts';

const ANSWER_LIMIT_MS = 2000;
const MOST_TRIES = 5;
const TRY_AGAIN_MS = 200;

/**
 * A metric, summed over processes and labels; in a process that is started again it begins at 0.
 *
 * @param label  Of samples with this label alone, such as `class="timeout"`.
 */
export async function sumOf(apps: readonly App[], metric: string, label = ''): Promise<number> {
  const scrapes = await Promise.all(apps.map(metricsOf));
  return scrapes.reduce((sum, each) => sum + (valueOf(each, metric, label) ?? 0), 0);
}

async function metricsOf({ healthPort }: App): Promise<Scrape> {
  for (let tries = 1; ; tries++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a busy process may be late
      return await scrape(`http://127.0.0.1:${healthPort}`, { limitMs: ANSWER_LIMIT_MS });
    } catch (error) {
      if (tries === MOST_TRIES) throw error;
      // oxlint-disable-next-line no-await-in-loop -- a busy process may be late
      await wait(TRY_AGAIN_MS);
    }
  }
}

/** Notes a count as it is now; the answer tells whether it has grown since. */
export async function growthOf(count: () => Promise<number>): Promise<() => Promise<boolean>> {
  const before = await count();
  return async () => (await count()) > before;
}
