import { join } from 'node:path';
import { createActivityWriter, readQueueServers } from '@landline/queue';
import { expect, it, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { ConsoleLine } from '../support/console-line.ts';
import { messageBody } from '../support/console-calls.ts';
import { unixSeconds } from '../support/post.ts';
import { ROOT } from '../support/root.ts';
import { visit, SHOWN, type GetPlace } from './place.ts';
import { CALLS } from './scene.ts';

/** UPDATE_SCREENSHOTS=1 makes the pictures in docs anew. */
const ARE_WANTED = process.env['UPDATE_SCREENSHOTS'] === '1';

const MINUTE_MS = 60_000;
const MINUTES = 24 * 60;

/** Registers what makes the pictures of the README: UPDATE_SCREENSHOTS=1 alone, since the line is changed by it. */
export function pictures(place: GetPlace): void {
  if (!ARE_WANTED) return;
  it('makes the pictures of the README', async () => {
    const { line } = place();
    await tellOfADay(line);
    await failInGroups(line);
    await Promise.all(
      [1, 2, 3].map((n) => line.sendUnknown(messageBody('conv_01k_refused', unixSeconds(), `refused ${n}`))),
    );
    await line.untilRows(`rejected_requests WHERE cause = 'another_secret' AND readmitted_at IS NULL`, 3);

    const { page } = await visit(place(), '/');
    await page
      .getByRole('list', { name: /^Needs attention/ })
      .getByRole('listitem')
      .nth(1)
      .waitFor(SHOWN);
    await page.locator('canvas').first().waitFor(SHOWN);
    await takePicture(page, 'console-overview.png');

    await page.goto(`${line.dashboard}/failures`);
    await page.getByRole('list', { name: 'Failures' }).getByRole('listitem').nth(3).waitFor(SHOWN);
    await takePicture(page, 'console-failures.png');

    await page.goto(`${line.dashboard}/conversations/${CALLS.long}`);
    await page.getByText('find_table').click();
    await page.getByRole('button', { name: 'Play from 0:14' }).click();
    await page.locator('[aria-current=true]').getByRole('button', { name: 'Play from 0:14' }).waitFor(SHOWN);
    await page.keyboard.press('p');
    await takePicture(page, 'console-conversation.png');
    expect(page.url()).toContain(CALLS.long);
  });
}

/** The members of a DOM node that this file uses: TypeScript has the browser's types only for code that runs there. */
interface PageNode {
  nodeType: number;
  textContent: string | null;
  childNodes: Iterable<PageNode>;
}

/** Takes a picture for docs, where UPDATE_SCREENSHOTS is set. */
export async function takePicture(page: Page, name: string): Promise<void> {
  if (!ARE_WANTED) return;
  // The picture must not show a path of this machine.
  await page.locator('pre').evaluateAll((blocks, root) => {
    const texts = (node: PageNode): PageNode[] => (node.nodeType === 3 ? [node] : [...node.childNodes].flatMap(texts));
    for (const text of blocks.flatMap(texts)) {
      text.textContent = text.textContent?.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '') ?? null;
    }
  }, ROOT);
  // No focus ring and no half-played transition.
  await page.evaluate('document.activeElement?.blur()');
  await page.screenshot({ path: join(ROOT, 'docs', name), animations: 'disabled' });
}

const fail = (error: Error) => expect.unreachable(String(error));

/** Counts what a receiver and a worker would have counted in the last day: quiet at night, and busy about noon. */
async function tellOfADay(line: ConsoleLine): Promise<void> {
  const end = Date.now();
  let at = end;
  const servers = await readQueueServers({ REDIS_URL: line.redisUrl });
  const writer = createActivityWriter({ ...servers, role: 'worker', onError: fail, now: () => at });
  for (let minute = MINUTES; minute >= 0; minute--) {
    at = end - minute * MINUTE_MS;
    const wave = 160 + 70 * Math.sin(minute / 11) + 40 * Math.sin(minute / 3.7) + 25 * Math.sin(minute * 2.3);
    const events = Math.round(minute > 10 * 60 && minute < 18 * 60 ? wave / 6 : wave);
    // A minute of the last hour was slow: the worker was restarted.
    const isSlow = minute === 22;
    const applied = isSlow ? Math.round(events * 0.3) : minute === 21 ? Math.round(events * 1.7) : events;
    writer.count('accepted', events);
    writer.count('applied', applied);
    if (minute % 13 === 5) writer.count('dead', 2);
    if (minute % 17 === 4) writer.count('refused', 3);
    for (let i = 0; i < applied / 4; i++)
      writer.observeReceiptToRow(minute === 21 ? 900 : 8 + ((i * 7) % 30) + (i % 23 === 0 ? 120 : 0));
  }
  at = end;
  writer.start();
  // An hour is written at once; what the dashboard has read of earlier minutes stands for half a minute.
  const overview = async () =>
    z.object({ day: z.object({ applied: z.number() }).nullable() }).parse((await line.ask('/overview')).json);
  await vi.waitUntil(async () => ((await overview()).day?.applied ?? 0) > 150_000, { timeout: 60_000, interval: 500 });
  await writer.close();
}

/** Dead events of the last day: how many, how they failed, and when the first did, in hours. */
const FAILURES: readonly [count: number, hours: number, code: string, type: string, message: string][] = [
  [
    148,
    6,
    '23514',
    'post_call_transcription',
    'new row for relation "conversations" violates check constraint "known_agents"',
  ],
  [37, 20, '22P02', 'conversation.message', 'invalid input syntax for type json, line 1, column %: Token "undefined"'],
  [12, 3, '57014', 'post_call_transcription', 'canceling statement of process % due to statement timeout'],
  [4, 15, 'recording_missing', 'post_call_audio', 'The storage has no recording agent_front_desk/call_%.mp3'],
];

async function failInGroups(line: ConsoleLine): Promise<void> {
  for (const [count, hours, code, type, message] of FAILURES) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await line.sql(`
      INSERT INTO webhook_events (id, type, conversation_id, event_at, received_at, origin, outcome, error, body_bytes)
      SELECT gen_random_uuid(), '${type}', 'conv_01k_call_' || i % 7, now(), now() - interval '4 minutes' - (i * i * interval '${hours} hours') / (${count} * ${count}), 'webhook', 'dead',
        jsonb_build_object('code', '${code}', 'attempts', 8, 'message', replace('${message}', '%', (i * 37 % 900 + 100)::text)), 4096
      FROM generate_series(1, ${count}) i`);
  }
}
