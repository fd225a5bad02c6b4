import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { choosePort } from '../apps/cli/src/services/choose-port.ts';
import { thisMachine } from '../apps/cli/src/services/machine.ts';
import { startRedis } from '../apps/cli/src/services/redis.ts';
import { sign, SIGNATURE_HEADER } from '../packages/webhook/src/sign.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { runSql } from './support/run-sql.ts';

// The whole pipe, as processes of their own, and a browser in the hands of an operator.

const ROOT = join(import.meta.dirname, '..');
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
/** Bull Board asks for its jobs every five seconds. */
const SHOWN = { timeout: 20_000 };

const secret = randomBytes(32).toString('hex');
const login = { username: 'admin', password: randomBytes(24).toString('base64') };
const conversationId = 'conv_refused';

const children: ChildProcess[] = [];
const opened: (() => Promise<unknown>)[] = [];
let database: TestDatabase;
let browser: Browser;
let receiver = '';
let dashboard = '';

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'landline-browser-'));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis({ dir: join(folder, 'redis'), port: 0, searchPath: process.env['PATH'] });
  opened.push(() => redis.stop());
  database = await createDatabase(inject('databaseUrl'));
  opened.push(() => database.drop());

  const env = { REDIS_URL: redis.url, HOST: '127.0.0.1', LOG_LEVEL: 'warn' };
  const [port, workerPort, dashboardPort] = [await choosePort(0), await choosePort(0), await choosePort(0)].map(String);
  receiver = `http://127.0.0.1:${port}`;
  dashboard = `http://127.0.0.1:${dashboardPort}`;
  start('receiver', { ...env, PORT: port, HEALTH_PORT: '0', DRAIN_SECONDS: '0', ELEVENLABS_WEBHOOK_SECRET: secret });
  start('worker', { ...env, WORKER_PORT: workerPort, DATABASE_URL: database.url });
  start('dashboard', {
    ...env,
    DASHBOARD_PORT: dashboardPort,
    DASHBOARD_USER: login.username,
    DASHBOARD_PASSWORD: login.password,
  });
  opened.push(() => Promise.all(children.map(stop)));
  await Promise.all([
    answers(`${receiver}/health/ready`, 200),
    answers(`http://127.0.0.1:${workerPort}/health/ready`, 200),
    answers(dashboard, 401),
  ]);

  browser = await chromium.launch({ executablePath: findBrowser(), args: BROWSER_FLAGS });
  opened.push(() => browser.close());
}, 90_000);

afterAll(async () => {
  // In reverse, one after the other: what was opened last uses what was opened first.
  await opened.reduceRight((after, close) => after.then(close), Promise.resolve<unknown>(undefined));
});

function start(app: string, env: Record<string, string | undefined>): void {
  const { PATH } = process.env;
  const main = join(ROOT, 'apps', app, 'dist', 'main.js');
  children.push(spawn(process.execPath, [main], { env: { PATH, ...env }, stdio: ['ignore', 'inherit', 'inherit'] }));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function answers(url: string, status: number): Promise<void> {
  const reached = async () => (await fetch(url).catch(() => undefined))?.status === status;
  await vi.waitUntil(reached, { timeout: 30_000, interval: 100 });
}

function findBrowser(): string {
  const machine = thisMachine(process.env['PATH']);
  const found = BROWSERS.map((name) => machine.find(name)).find(Boolean);
  if (found === undefined) throw new Error('This test needs a browser: install chromium, or Google Chrome.');
  return found;
}

/** Opens a page of the dashboard and notes what must not happen on any of them. */
async function open(options: BrowserContextOptions): Promise<{ page: Page; faults: string[] }> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })).newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== dashboard && !origin.endsWith('.googleapis.com')) faults.push(`asks ${origin}`);
  });
  // The one thing that the policy of the board is there to refuse.
  page.on('response', (response) => {
    if (!response.url().startsWith(dashboard)) faults.push(`has an answer from ${response.url()}`);
  });
  return { page, faults };
}

async function sendEvent(): Promise<number> {
  const event = { type: 'conversation.started', event_timestamp: 1_767_225_600, conversation_id: conversationId };
  const body = Buffer.from(JSON.stringify({ ...event, data: { language: 'en', channel: 'web' } }));
  const headers = { [SIGNATURE_HEADER]: sign(body, secret, Date.now() / 1000) };
  return (await fetch(`${receiver}/api/elevenlabs/webhook`, { method: 'POST', body, headers })).status;
}

function sql(statement: string): Promise<Record<string, unknown>[]> {
  return runSql(database.url, statement);
}

/** What is used here of a node in the page: TypeScript has the browser's types only for code that runs there. */
interface PageNode {
  nodeType: number;
  textContent: string | null;
  childNodes: Iterable<PageNode>;
}

/** Takes the picture for the README when it is asked for, else one that is thrown away. */
async function takePicture(page: Page): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-picture-'));
  const path = join(process.env['UPDATE_SCREENSHOTS'] === '1' ? join(ROOT, 'docs') : folder, 'dashboard.png');
  await mkdir(dirname(path), { recursive: true });
  // Where this copy of the repository stands is nobody's business.
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
    // Without a password Chromium shows an error page in place of the question that it would put to a person.
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
