import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { openPage, type OpenedPage } from '../support/console-browser.ts';
import type { ConsoleLine } from '../support/console-line.ts';
import { ROOT } from '../support/root.ts';

/** How long a page may take to show something, on a machine that does other work as well. */
export const SHOWN = { timeout: 60_000 };

/** The line, and the browser that looks at its console. */
export interface Place {
  line: ConsoleLine;
  browser: Browser;
}

/** Where the pages of failed tests are kept as pictures. */
const FAILED = join(ROOT, '.data/failed-pages');

/** Tests of a part of the console are registered before the line is there. */
export type GetPlace = () => Place;

/** Opens a path of the console in a new context, logged in. Its faults fail the running test. */
export async function visit(
  { line, browser }: Place,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const opened = await openPage(browser, line.dashboard, { httpCredentials: line.login, ...options });
  onTestFinished(async ({ task }) => {
    const name = `${task.name.replaceAll(/\W+/g, '-')}${path.replaceAll(/\W+/g, '-')}.png`;
    if (task.result?.state === 'fail') await opened.page.screenshot({ path: join(FAILED, name) });
    await opened.context.close();
    expect(opened.faults).toEqual([]);
  });
  await opened.page.goto(line.dashboard + path);
  return opened;
}

/** The operation that is open. */
export const operation = (page: Page): Locator => page.getByRole('region', { name: 'Operation', exact: true });

/** Waits until the page has an operation open, and that one is done. Returns its id. */
export async function untilDone(page: Page): Promise<string> {
  const id = () => new URL(page.url()).searchParams.get('operation') ?? '';
  await expect.poll(id, SHOWN).toMatch(/^[\da-f-]{36}$/);
  await operation(page).getByText('done', { exact: true }).waitFor(SHOWN);
  return id();
}
