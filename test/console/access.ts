import { gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { createSessions } from '../../apps/dashboard/src/login/session.ts';
import { findInaccessible, openPage } from '../support/console-browser.ts';
import { operation, visit, SHOWN, type GetPlace } from './place.ts';
import { CALLS } from './scene.ts';

const DAY_MS = 86_400_000;

/** The most script that the first page may load, in bytes, compressed. */
const MOST_SCRIPT_BYTES = 100_000;

/** A narrow telephone, in pixels. */
const NARROW = { width: 360, height: 740 };

/** A row of each kind, so that each page has something to show. */
const ID = '00000000-0000-4000-8000-00000000dead';
const ROWS = {
  webhook_events: `(id, type, conversation_id, event_at, received_at, origin, outcome, error, body_bytes)
    VALUES ('${ID}', 'conversation.message', 'conv_01k_live', now(), now(), 'webhook', 'dead',
      '{"code": "22P02", "attempts": 8, "message": "invalid input syntax for type json, line 1"}', 100)`,
  rejected_requests: `(id, received_at, code, cause, advice, header, headers, body, body_bytes, sender)
    VALUES ('${ID}', now(), 'signature_expired', 'stale', 'The clock of the sender is behind.', 't=1,v0=00',
      '{"content-type": "application/json"}', '{"a":1}', 7, '203.0.113.7')`,
  reconciliations: `(id, window_from, window_to, started_at, finished_at, listed, fetched)
    VALUES ('${ID}', now() - interval '3 days', now(), now(), now(), 5, 1)`,
  operations: `(id, kind, filter, status, total, done, failed, requested_by, started_at, finished_at)
    VALUES ('${ID}', 'replay', '{"outcome": "dead"}', 'done', 5, 5, 0, 'admin', now(), now())`,
};

/** Every page, each with something open, and what it shows once it has all of it. */
const PAGES: readonly [path: string, shown: (page: Page) => Locator][] = [
  ['/', curves],
  ['/conversations', (page) => page.getByRole('option').first()],
  [
    `/conversations/${CALLS.short}`,
    (page) => page.getByRole('list', { name: 'What was said' }).getByRole('listitem').last(),
  ],
  [
    `/events?event=${ID}`,
    (page) => page.getByRole('region', { name: 'Event', exact: true }).getByText('22P02').first(),
  ],
  ['/failures', (page) => page.getByRole('list', { name: 'Failures' }).getByRole('listitem').first()],
  [
    `/rejected?request=${ID}`,
    (page) => page.getByRole('region', { name: 'Refused request' }).getByText('203.0.113.7').first(),
  ],
  [`/operations?operation=${ID}`, (page) => operation(page).getByText('done', { exact: true })],
  ['/provider', (page) => page.getByRole('heading', { name: 'Comparisons' })],
  ['/nothing-is-here', (page) => page.getByRole('link', { name: 'Go to the overview' })],
];

/** The overview's curves, whose script is the last that it loads. */
function curves(page: Page): Locator {
  return page.locator('canvas').last();
}

/** Registers the tests of who can use the console, and of what it costs to open it. */
export function accessTests(place: GetPlace): void {
  it('breaks no rule of axe-core on any page, light or dark, and fits on a narrow screen', async () => {
    const { line } = place();
    for (const [table, row] of Object.entries(ROWS)) {
      onTestFinished(async () => void (await line.sql(`DELETE FROM ${table} WHERE id = '${ID}'`)));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await line.sql(`INSERT INTO ${table} ${row}`);
    }
    const { page } = await visit(place(), '/');
    const broken: Record<string, string[]> = {};
    const look = async (path: string, scheme: 'light' | 'dark', rules?: string[]) => {
      await page.emulateMedia({ colorScheme: scheme });
      const found = await findInaccessible(page, rules);
      if (found.length > 0) broken[`${path} ${scheme}`] = found;
    };
    const wide = page.viewportSize() ?? NARROW;
    // oxlint-disable no-await-in-loop -- page after page
    for (const [path, shown] of PAGES) {
      if (path !== '/') await page.goto(line.dashboard + path);
      await page.getByRole('heading', { level: 1 }).first().waitFor(SHOWN);
      await shown(page).waitFor(SHOWN);
      await look(path, 'light');
      await look(path, 'dark', ['color-contrast']);
      await page.setViewportSize(NARROW);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      if (width > NARROW.width) broken[`${path} narrow`] = [`is ${width} pixels wide`];
      await page.setViewportSize(wide);
    }
    // oxlint-enable no-await-in-loop
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor(SHOWN);
    await look('help', 'light');
    expect(broken).toEqual({});
  });

  it(`loads less than ${MOST_SCRIPT_BYTES / 1000} KB of script at first`, async () => {
    const { line, browser } = place();
    const { page, context } = await openPage(browser, line.dashboard, { httpCredentials: line.login });
    const scripts: Promise<Buffer>[] = [];
    page.on('response', (response) => {
      if (response.request().resourceType() === 'script' && response.ok()) scripts.push(response.body());
    });
    await page.goto(line.dashboard);
    await page.getByRole('heading', { level: 1 }).first().waitFor(SHOWN);
    await curves(page).waitFor(SHOWN);
    const bytes = (await Promise.all(scripts)).map((script) => gzipSync(script).length);
    await context.close();
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(MOST_SCRIPT_BYTES);
  });

  it('says that a session has ended, and goes on after a new login', async () => {
    const { line } = place();
    const { page, context } = await visit(place(), '/');
    await page.getByRole('heading', { level: 1 }).first().waitFor(SHOWN);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    const login = { user: line.login.username, password: line.login.password };
    const old = createSessions(login, () => Date.now() - DAY_MS).begin().cookie;
    const [name, value] = old.slice(0, old.indexOf(';')).split(/=(.*)/);
    expect(name).toBe(cookie?.name);
    await context.addCookies([{ name: name ?? '', value: value ?? '', url: line.dashboard }]);

    await page.getByRole('alert').getByText('Your session has ended').first().waitFor(SHOWN);
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor(SHOWN);
    await curves(page).waitFor(SHOWN);
    expect(await page.getByText('Your session has ended').count()).toBe(0);
    expect((await context.cookies())[0]?.value).not.toBe(value);
  });
}
