import { expect, it } from 'vitest';
import { messageBody } from '../support/console-calls.ts';
import type { Breakable } from '../support/console-line.ts';
import { unixSeconds } from '../support/post.ts';
import { visit, SHOWN, type GetPlace } from './place.ts';

/** A frozen server answers nothing, which takes longer to notice: CONSOLE=whole. */
const HOW: readonly ('stopped' | 'frozen')[] = process.env['CONSOLE'] === 'whole' ? ['stopped', 'frozen'] : ['stopped'];

/** Registers the tests of a console whose servers are away. Each server is back afterwards. */
export function outageTests(place: GetPlace): void {
  it.each(HOW)('shows what is missing while Postgres is %s, and recovers by itself', async (how) => {
    const { line } = place();
    const { page } = await visit(place(), '/');
    const { page: events } = await visit(place(), '/events');
    await events.getByRole('option').first().waitFor(SHOWN);
    await away(line.postgres, how, async () => {
      await page
        .getByText(/Postgres does not answer/)
        .first()
        .waitFor(SHOWN);
      await events.reload();
      await events
        .getByRole('alert')
        .getByText(/Postgres/)
        .first()
        .waitFor(SHOWN);
      // What receivers and workers count is there all the same.
      await expect
        .poll(() => line.ask('/overview'), SHOWN)
        .toMatchObject({
          status: 200,
          json: { postgres: { ok: false }, redis: { ok: true }, now: { accepted: expect.any(Number) } },
        });
    });
    await page
      .getByText(/Postgres does not answer/)
      .first()
      .waitFor({ state: 'detached', ...SHOWN });
    await events.getByRole('option').first().waitFor(SHOWN);
    await expect.poll(() => events.getByRole('alert').count(), SHOWN).toBe(0);
  });

  it.each(HOW)('shows what is missing while Redis is %s, and recovers by itself', async (how) => {
    const { line } = place();
    const { page } = await visit(place(), '/');
    const { page: events } = await visit(place(), '/events');
    const conversation = `conv_01k_while_redis_is_${how}`;
    await away(line.redis, how, async () => {
      await page
        .getByText(/Redis does not answer/)
        .first()
        .waitFor(SHOWN);
      // The journal takes events, and what is in Postgres is there all the same.
      await line.accept([messageBody(conversation, unixSeconds(), `While Redis was ${how}.`)]);
      await events.reload();
      await events.getByRole('option').first().waitFor(SHOWN);
      await expect
        .poll(() => line.ask('/overview'), SHOWN)
        .toMatchObject({
          status: 200,
          json: { postgres: { ok: true }, redis: { ok: false }, now: null, queue: null },
        });
    });
    await page
      .getByText(/Redis does not answer/)
      .first()
      .waitFor({ state: 'detached', ...SHOWN });
    await line.untilRows(`conversations WHERE id = '${conversation}'`, 1);
    await events.getByRole('option').filter({ hasText: conversation }).first().waitFor(SHOWN);
  });
}

/** Takes a server away while `work` runs. */
async function away(server: Breakable, how: 'stopped' | 'frozen', work: () => Promise<void>): Promise<void> {
  await (how === 'stopped' ? server.stop() : server.freeze());
  try {
    await work();
  } finally {
    await (how === 'stopped' ? server.restart() : server.thaw());
  }
}
