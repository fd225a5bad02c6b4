import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it, vi } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const DASHBOARD_PASSWORD = 'correct horse battery';

function start(env: Record<string, string>): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [MAIN], {
    env: { PATH, REDIS_URL: inject('redisUrl'), DASHBOARD_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

async function listening(dashboard: ChildProcess): Promise<{ address: string; output: () => string }> {
  let output = '';
  dashboard.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const address = await vi.waitUntil(() => /http:\/\/[^"]+/.exec(output)?.[0], { timeout: 20_000, interval: 50 });
  return { address, output: () => output };
}

function basic(password: string): string {
  return `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
}

describe('the process', () => {
  it('refuses to start without a password', async () => {
    const dashboard = start({});
    const [complaint, [code]] = await Promise.all([text(dashboard.stderr!), once(dashboard, 'exit')]);
    expect([code, complaint]).toEqual([1, expect.stringContaining('DASHBOARD_PASSWORD')]);
  });

  it('takes its password from a file, and warns of quotation marks around it', async () => {
    const file = join(await makeTempFolder(), 'password');
    await writeFile(file, `"${DASHBOARD_PASSWORD}"\n`);
    const dashboard = start({ DASHBOARD_PASSWORD_FILE: file });
    const { address, output } = await listening(dashboard);
    const ask = async (password: string) =>
      (await fetch(address, { headers: { authorization: basic(password) } })).status;
    expect([await ask(`"${DASHBOARD_PASSWORD}"`), await ask(DASHBOARD_PASSWORD)]).toEqual([200, 401]);
    expect(output()).toContain('DASHBOARD_PASSWORD has quotation marks around it');
    expect(output()).not.toContain(DASHBOARD_PASSWORD);
    dashboard.kill('SIGTERM');
    expect(await once(dashboard, 'exit')).toEqual([0, null]);
  });

  it('listens on loopback, keeps its password to itself, and stops on SIGTERM', async () => {
    const dashboard = start({ DASHBOARD_PASSWORD });
    const { address, output } = await listening(dashboard);
    expect(new URL(address).hostname).toBe('127.0.0.1');
    expect((await fetch(address)).status).toBe(401);
    const [right, wrong] = [basic(DASHBOARD_PASSWORD), basic('wrong horse battery')];
    expect((await fetch(address, { headers: { authorization: right } })).status).toBe(200);
    expect((await fetch(address, { headers: { authorization: wrong } })).status).toBe(401);

    dashboard.kill('SIGTERM');
    expect(await once(dashboard, 'exit')).toEqual([0, null]);
    expect(output()).toContain('Dashboard login refused');
    for (const secret of [DASHBOARD_PASSWORD, 'wrong horse battery', right, wrong]) {
      expect(output()).not.toContain(secret);
    }
  });

  it('stops when the process that forked it is gone', async () => {
    const dashboard = start({ DASHBOARD_PASSWORD });
    await listening(dashboard);
    dashboard.disconnect();
    expect(await once(dashboard, 'exit')).toEqual([0, null]);
  });
});
