import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { visit, SHOWN, type GetPlace } from './place.ts';

const FOUND = '/events?type=conversation.started&origin=webhook';

/** What the element says that has the focus. */
const focused = (page: Page) => page.evaluate<string>('document.activeElement.textContent');

/** Registers the tests of the dialog that starts an operation. */
export function startingTests(place: GetPlace): void {
  it('starts one operation though the first answer is lost, and nothing closes the dialog until then', async () => {
    const { line } = place();
    const { page } = await visit(place(), FOUND);
    const answer = new AbortController();
    const isLost = once(answer.signal, 'abort');
    const ids: unknown[] = [];
    await page.route('**/api/v1/operations', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      ids.push(route.request().postDataJSON().id);
      if (ids.length > 1) return route.continue();
      await route.fetch();
      await isLost;
      return route.abort();
    });
    await page.getByRole('button', { name: 'Replay all found…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: /^Replay \d/ }).click(SHOWN);
    await dialog.getByRole('button', { name: 'Starting…' }).waitFor(SHOWN);
    for (const key of ['Escape', 'Escape']) await page.keyboard.press(key);
    await page.mouse.click(5, 5);
    expect(await dialog.getByRole('button', { name: 'Cancel' }).isDisabled()).toBe(true);
    expect(await dialog.isVisible()).toBe(true);
    answer.abort();
    await dialog.getByRole('button', { name: /^Replay \d/ }).click(SHOWN);
    await dialog.getByRole('link', { name: 'Open the operation' }).click(SHOWN);
    await page.getByText('done', { exact: true }).first().waitFor(SHOWN);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(await line.sql(`SELECT id FROM operations WHERE filter::text LIKE '%"webhook"%'`)).toEqual([{ id: ids[0] }]);
  });

  it('gives the focus to the button that starts it, but not to who has pressed a key before it was there', async () => {
    const { page } = await visit(place(), FOUND);
    const hold = new AbortController();
    const isTime = once(hold.signal, 'abort');
    await page.getByRole('listbox', { name: 'Events' }).getByRole('option').first().waitFor(SHOWN);
    await page.keyboard.press('r');
    const button = page.getByRole('dialog').getByRole('button', { name: /^Replay \d/ });
    await button.waitFor(SHOWN);
    // It is there a moment before it has the focus.
    await expect.poll(() => focused(page), SHOWN).toMatch(/^Replay \d/);
    await page.keyboard.press('Escape');
    await page.route('**/api/v1/operations/plan', (route) => isTime.then(() => route.continue()));
    await page.keyboard.press('r');
    await page.getByRole('dialog').waitFor(SHOWN);
    await page.keyboard.press('Shift');
    hold.abort();
    await button.waitFor(SHOWN);
    expect(await focused(page)).toBe('Cancel');
  });

  it('opens again at a key that is pressed at once after esc', async () => {
    const { page } = await visit(place(), FOUND);
    await page.getByRole('listbox', { name: 'Events' }).getByRole('option').first().waitFor(SHOWN);
    await page.keyboard.press('r');
    await page.getByRole('dialog').waitFor(SHOWN);
    await page.evaluate("document.querySelector('dialog').dataset.isFirst = ''");
    await Promise.all([page.keyboard.press('Escape'), page.keyboard.press('r')]);
    await page.locator('dialog:not([data-is-first])').waitFor(SHOWN);
    expect(await page.getByRole('dialog').count()).toBe(1);
  });

  it('says above an operation that it cannot be read any more', async () => {
    const id = '44444444-4444-4444-8444-444444444444';
    const at = '2026-01-05T09:00:00.000Z';
    const none = { total: null, message: null, rate: null, started_at: null, finished_at: null };
    const running = {
      ...none,
      id,
      kind: 'replay',
      filter: {},
      status: 'running',
      done: 1,
      failed: 0,
      requested_by: 'admin',
      created_at: at,
      updated_at: at,
      cancel_requested_at: null,
    };
    const { page } = await visit(place(), '/');
    let asked = 0;
    await page.route(`**/api/v1/operations/${id}`, (route) => {
      asked += 1;
      return asked === 1
        ? route.fulfill({ json: running })
        : route.fulfill({ status: 503, json: { code: 'unavailable', message: 'Postgres does not answer.' } });
    });
    await page.goto(`${place().line.dashboard}/operations?operation=${id}`);
    const detail = page.getByRole('region', { name: 'Operation', exact: true });
    await detail.getByText('Postgres does not answer.').waitFor(SHOWN);
    expect(await detail.getByRole('heading', { name: 'Replay events' }).isVisible()).toBe(true);
  });
}
