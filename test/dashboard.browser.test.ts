import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { thisMachine } from '@landline/local-servers';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { startApp } from './support/app-process.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { isReady, post, signed } from './support/post.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { ROOT } from './support/root.ts';
import { runSql } from './support/run-sql.ts';

// The whole pipe, each app as a process of its own, and a browser that does what an operator does.

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
const LETTERS = '/queue/webhook-dead-letter?status=failed';
/** How long a change may take to show: Bull Board asks for its jobs every five seconds. */
const SHOWN = { timeout: 20_000 };

const secret = randomBytes(32).toString('hex');
const login = { username: 'admin', password: randomBytes(24).toString('base64') };
const conversationId = 'conv_refused';

const opened: (() => Promise<unknown>)[] = [];
let database: TestDatabase;
let browser: Browser;
let receiver = '';
let dashboard = '';

beforeAll(async () => {
  const redis = await startPrivateRedis();
  opened.push(() => redis.remove());
  database = await createDatabase(inject('databaseUrl'));
  opened.push(() => database.drop());

  const start = async (app: 'receiver' | 'worker' | 'dashboard', env: Record<string, string>): Promise<string> => {
    const started = await startApp(app, { env: { REDIS_URL: redis.url, ...env } });
    opened.push(() => started.stop());
    return started.url;
  };
  receiver = await start('receiver', { ELEVENLABS_WEBHOOK_SECRET: secret });
  const worker = await start('worker', { DATABASE_URL: database.url });
  dashboard = await start('dashboard', { DASHBOARD_USER: login.username, DASHBOARD_PASSWORD: login.password });
  for (const url of [receiver, worker]) await vi.waitUntil(() => isReady(url), { timeout: 30_000, interval: 100 });

  browser = await chromium.launch({ executablePath: findBrowser(), args: BROWSER_FLAGS });
  opened.push(() => browser.close());
}, 90_000);

afterAll(async () => {
  // In reverse order, one after the other: what was opened last uses what was opened first.
  await opened.reduceRight((after, close) => after.then(close), Promise.resolve<unknown>(undefined));
});

function findBrowser(): string {
  const machine = thisMachine(process.env['PATH']);
  const found = BROWSERS.map((name) => machine.find(name)).find(Boolean);
  if (found === undefined) throw new Error('This test needs a browser: install chromium, or Google Chrome.');
  return found;
}

/** Opens a page of the dashboard, and records the errors that must not happen on any page. */
async function open(options: BrowserContextOptions): Promise<{ page: Page; faults: string[] }> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })).newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== dashboard && !origin.endsWith('.googleapis.com')) faults.push(`asks ${origin}`);
  });
  // The board's policy must let no answer from another host through.
  page.on('response', (response) => {
    if (!response.url().startsWith(dashboard)) faults.push(`has an answer from ${response.url()}`);
  });
  return { page, faults };
}

async function sendEvent(): Promise<number> {
  const event = { type: 'conversation.started', event_timestamp: 1_767_225_600, conversation_id: conversationId };
  const body = Buffer.from(JSON.stringify({ ...event, data: { language: 'en', channel: 'web' } }));
  return (await post(receiver, body, { headers: signed(body, secret) })).status;
}

function sql(statement: string): Promise<Record<string, unknown>[]> {
  return runSql(database.url, statement);
}

/** The members of a DOM node that this file uses: TypeScript has the browser's types only for code that runs there. */
interface PageNode {
  nodeType: number;
  textContent: string | null;
  childNodes: Iterable<PageNode>;
}

/** Takes the picture for the README where UPDATE_SCREENSHOTS is set, else one that is thrown away. */
async function takePicture(page: Page): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-picture-'));
  const path = join(process.env['UPDATE_SCREENSHOTS'] === '1' ? join(ROOT, 'docs') : folder, 'dashboard.png');
  await mkdir(dirname(path), { recursive: true });
  // The picture must not show a path of this machine.
  await page.locator('pre').evaluateAll((blocks, root) => {
    const texts = (node: PageNode): PageNode[] => (node.nodeType === 3 ? [node] : [...node.childNodes].flatMap(texts));
    for (const text of blocks.flatMap(texts)) {
      text.textContent = text.textContent?.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '') ?? null;
    }
  }, ROOT);
  await page.screenshot({ path });
  const { size } = await stat(path);
  await rm(folder, { recursive: true });
  return size;
}

describe('the dashboard in a browser', () => {
  it.each([
    ['no password', {}],
    ['a wrong password', { httpCredentials: { ...login, password: 'wrong horse battery' } }],
  ])('shows nothing with %s', async (_what, options) => {
    const { page } = await open(options);
    const answer = page.waitForResponse((response) => response.url().startsWith(dashboard));
    // Without a password headless Chromium shows an error page instead of the dialog for the login.
    await page.goto(dashboard).catch(() => undefined);
    expect((await answer).status()).toBe(401);
    await page.waitForLoadState();
    expect(await page.locator('#root').count()).toBe(0);
  });

  it('shows a dead letter with its error, and its Retry applies it once the cause is gone', async () => {
    await sql(`ALTER TABLE conversations ADD CONSTRAINT refuses_one CHECK (id <> '${conversationId}')`);
    expect(await sendEvent()).toBe(200);
    const outcome = `SELECT outcome FROM webhook_events WHERE conversation_id = '${conversationId}'`;
    await vi.waitFor(async () => expect(await sql(outcome)).toEqual([{ outcome: 'dead' }]), { timeout: 20_000 });

    const { page, faults } = await open({ httpCredentials: login });
    await page.goto(`${dashboard}${LETTERS}`);
    await page.getByText('violates check constraint').first().waitFor(SHOWN);
    await page.getByText('refuses_one').first().waitFor(SHOWN);
    expect(await takePicture(page)).toBeGreaterThan(10_000);

    await sql('ALTER TABLE conversations DROP CONSTRAINT refuses_one');
    const retry = page.locator('button:has(svg.lucide-refresh-cw)', { hasNotText: 'Retry all' });
    await retry.hover();
    await page.getByText('Retry', { exact: true }).waitFor(SHOWN);
    await retry.click();
    const retried = page.waitForResponse((response) => response.url().endsWith('/retry'));
    await page.getByRole('button', { name: 'Confirm' }).click();
    expect((await retried).status()).toBe(204);

    await vi.waitFor(async () => expect(await sql(outcome)).toEqual([{ outcome: 'applied' }]), { timeout: 20_000 });
    expect(await sql('SELECT id, status, language, channel FROM conversations')).toEqual([
      { id: conversationId, status: 'in_progress', language: 'en', channel: 'web' },
    ]);
    await retry.waitFor({ state: 'detached', ...SHOWN });
    await page.reload();
    await page.getByRole('link', { name: 'failed' }).waitFor(SHOWN);
    expect(await retry.count()).toBe(0);
    expect(faults).toEqual([]);
  });
});
