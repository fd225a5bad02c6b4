import { expect, it, vi } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { messageBody } from '../support/console-calls.ts';
import { unixSeconds } from '../support/post.ts';
import { untilDone, visit, SHOWN, type GetPlace } from './place.ts';

const list = (page: Page) => page.getByRole('listbox', { name: 'Events' });
const FOLLOWED = 'conv_01k_followed';

const detail = (page: Page) => page.getByRole('region', { name: 'Event', exact: true });

/** Registers the tests of the events' page. */
export function eventTests(place: GetPlace): void {
  it('opens an event beside the list: its body as a tree and raw, and how to send it again', async () => {
    const { page, context } = await visit(place(), '/events?type=conversation.started');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await list(page).getByRole('option').first().click();
    expect(new URL(page.url()).searchParams.get('type')).toBe('conversation.started');
    expect(new URL(page.url()).searchParams.get('event')).toMatch(/^[\da-f-]{36}$/);
    await detail(page).getByRole('tree', { name: 'Body' }).getByText('caller_number').waitFor(SHOWN);
    await detail(page).getByRole('button', { name: 'Raw' }).click();
    const raw = await detail(page).getByRole('region', { name: 'Raw body' }).textContent();
    expect(JSON.parse(raw ?? '')).toMatchObject({ data: { conversation_id: 'conv_01k_live' } });
    await detail(page).getByRole('button', { name: 'Copy as curl' }).click();
    await detail(page).getByText('Copied').first().waitFor(SHOWN);
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toContain('openssl dgst -sha256 -hmac');
    await page.keyboard.press('Escape');
    await detail(page).waitFor({ state: 'detached', ...SHOWN });
  });

  it('follows new events, and holds them back while one moves by hand', async () => {
    const { line } = place();
    const accept = (words: string) => line.accept([messageBody(FOLLOWED, unixSeconds(), words)]);
    await accept('is there before one looks');
    await line.untilRows(`webhook_events WHERE conversation_id = '${FOLLOWED}'`, 1);
    // Of this conversation alone: what another test has sent may still be under way.
    const { page } = await visit(place(), `/events?conversation=${FOLLOWED}`);
    const rows = list(page).getByRole('option');
    await expect.poll(() => rows.count(), SHOWN).toBe(1);
    await accept('comes while one follows');
    await expect.poll(() => rows.count(), SHOWN).toBe(2);

    await page.keyboard.press('j');
    await accept('comes while one moves by hand');
    const waiting = page.getByRole('button', { name: '1 new' });
    await waiting.waitFor(SHOWN);
    expect(await rows.count()).toBe(2);
    await waiting.click();
    await expect.poll(() => rows.count(), SHOWN).toBe(3);
  });

  it('goes the main ways by keyboard alone', async () => {
    const { line } = place();
    const { page } = await visit(place(), '/');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor(SHOWN);
    const press = async (...keys: string[]) => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const key of keys) await page.keyboard.press(key);
    };
    /** The second key must come soon after the first, which a machine that stands still for a while does not let it. */
    const go = (key: string, path: string) =>
      vi.waitUntil(async () => {
        await press('g', key);
        return new URL(page.url()).pathname === path;
      }, SHOWN);
    // Every event of a kind: found, looked at, selected and replayed.
    await go('e', '/events');
    await list(page).getByRole('option').first().waitFor(SHOWN);
    await press('/');
    await page.keyboard.type('type:conversation.started');
    await press('Enter', 'Escape');
    await expect.poll(() => page.url(), SHOWN).toContain('type=conversation.started');
    await untilAll(list(page), 'conversation.started');
    await press('j', 'Enter');
    await detail(page).getByRole('tree', { name: 'Body' }).waitFor(SHOWN);
    await press('Escape');
    await detail(page).waitFor({ state: 'detached', ...SHOWN });
    await press('x', 'r');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Replay 1$/ })
      .waitFor(SHOWN);
    await tabTo(page, 'Replay 1');
    await press('Enter');
    await page.getByRole('dialog').getByRole('link', { name: 'Open the operation' }).waitFor(SHOWN);
    await tabTo(page, 'Open the operation');
    await press('Enter');
    const id = await untilDone(page);
    await line.untilRows(
      `operations WHERE id = '${id}' AND kind = 'replay' AND done = 1 AND filter::text LIKE '%conversation.started%'`,
      1,
    );

    // A call: found, read, and listened to.
    await go('c', '/conversations');
    await page.getByRole('combobox', { name: 'Search and filter' }).waitFor(SHOWN);
    await press('/');
    await page.keyboard.type('language:ar');
    await press('Enter', 'Escape');
    await expect.poll(() => page.url(), SHOWN).toContain('language=ar');
    await untilAll(page.getByRole('listbox', { name: 'Conversations' }), 'حجز');
    await press('j', 'Enter');
    await page.getByRole('list', { name: 'What was said' }).waitFor(SHOWN);
    await press('j', 'j', 'Enter');
    const isPlaying = () => page.evaluate<boolean>(`!document.querySelector('audio').paused`);
    await vi.waitUntil(isPlaying, SHOWN);
    await press('p');
    await vi.waitUntil(async () => !(await isPlaying()), SHOWN);
    await press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor(SHOWN);
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached', ...SHOWN });
  });
}

/** Waits until a list has rows, and each of them says this: a filter is seen a moment after it was typed. */
async function untilAll(rows: Locator, text: string): Promise<void> {
  const says = async () => (await rows.getByRole('option').allInnerTexts()).map((row) => row.includes(text));
  await vi.waitUntil(async () => new Set(await says()).has(true) && !(await says()).includes(false), SHOWN);
}

/** Moves the focus by the tabulator until it is on what has this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""');
  for (let presses = 0; presses < 20; presses++) {
    // oxlint-disable no-await-in-loop -- one after the other
    if ((await focused()).trim() === name) return;
    await page.keyboard.press('Tab');
    // oxlint-enable no-await-in-loop
  }
  throw new Error(`The tabulator does not come to ${name}, but to ${await focused()}.`);
}
