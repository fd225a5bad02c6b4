import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { thisMachine } from '@landline/local-servers';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
  type Request,
} from 'playwright-core';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--mute-audio',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** How long a page may take for anything, on a machine that does other work as well. */
const PATIENCE_MS = 60_000;

/** The most that one answer of the API may have, in bytes. Audio and whole bodies are as large as they are. */
const MOST_BYTES = 300_000;
const UNBOUNDED = /\/(recordings\/\w+|events\/[\w-]+\/body)$/;

/** Starts the browser of this machine. */
export function launchBrowser(): Promise<Browser> {
  const machine = thisMachine(process.env['PATH']);
  const executablePath = BROWSERS.map((name) => machine.find(name)).find(Boolean);
  if (executablePath === undefined) throw new Error('This test needs a browser: install chromium, or Google Chrome.');
  return chromium.launch({ executablePath, args: BROWSER_FLAGS });
}

/** A page of the console, and what must not happen on any page. */
export interface OpenedPage {
  page: Page;
  context: BrowserContext;
  /** Errors of scripts and of the policy, requests that leave the origin, and answers that are too large. */
  faults: string[];
}

/** Opens a page in a context of its own, which has no cookie yet. */
export async function openPage(browser: Browser, origin: string, options: BrowserContextOptions): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // An answer with an error's status is logged as well: the page shows it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !['blob:', 'data:'].includes(url.protocol)) faults.push(`asks ${url.href}`);
  });
  page.on('requestfinished', (request) => {
    void tooLarge(request).then(
      (fault) => fault !== undefined && faults.push(fault),
      // The page is closed.
      () => undefined,
    );
  });
  return { page, context, faults };
}

async function tooLarge(request: Request): Promise<string | undefined> {
  const { pathname } = new URL(request.url());
  if (!pathname.startsWith('/api/v1/') || UNBOUNDED.test(pathname)) return undefined;
  const bytes = (await request.response().then((response) => response?.body()))?.length ?? 0;
  return bytes > MOST_BYTES ? `${pathname} has ${bytes} bytes` : undefined;
}

/** What axe-core answers of a page. */
interface AxeAnswer {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

const axeSource = () => readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Looks for faults of accessibility on a page, by the rules of WCAG 2 A and AA and the best practices.
 *
 * @param only  These rules alone.
 * @returns     A line for each element that breaks a rule.
 */
export async function findInaccessible(page: Page, only?: readonly string[]): Promise<string[]> {
  // By the debugger: the policy of the page does not apply to it. A page that was looked at before has it.
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(await axeSource());
  const rules = only && { runOnly: { type: 'rule', values: only } };
  const options = JSON.stringify({ resultTypes: ['violations'], ...rules });
  const answer = await page.evaluate<AxeAnswer>(`axe.run(${options})`);
  return answer.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 300)} ${failureSummary ?? ''}`),
  );
}
