import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartedProcess } from '@landline/local-servers';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import { startNode } from '../../../test/support/node-process.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const DASHBOARD_PASSWORD = 'correct horse battery';

function start(env: Record<string, string>): Promise<StartedProcess> {
  return startNode({ script: MAIN, env: { REDIS_URL: inject('redisUrl'), DASHBOARD_PORT: '0', ...env } });
}

async function listening({ output, until }: StartedProcess): Promise<string> {
  return until(() => /http:\/\/[^"]+/.exec(output())?.[0]);
}

function basic(password: string): string {
  return `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
}

describe('the process', () => {
  it('refuses to start without a password', async () => {
    const { exited, output } = await start({});
    expect(await exited).toEqual([1, null]);
    expect(output()).toContain('DASHBOARD_PASSWORD');
  });

  it('takes its password from a file, and warns of quotation marks around it', async () => {
    const file = join(await makeTempFolder(), 'password');
    await writeFile(file, `"${DASHBOARD_PASSWORD}"\n`);
    const dashboard = await start({ DASHBOARD_PASSWORD_FILE: file });
    const address = await listening(dashboard);
    const ask = async (password: string) =>
      (await fetch(address, { headers: { authorization: basic(password) } })).status;
    expect([await ask(`"${DASHBOARD_PASSWORD}"`), await ask(DASHBOARD_PASSWORD)]).toEqual([200, 401]);
    expect(dashboard.output()).toContain('DASHBOARD_PASSWORD has quotation marks around it');
    expect(dashboard.output()).not.toContain(DASHBOARD_PASSWORD);
    expect(await dashboard.stop()).toEqual([0, null]);
  });

  it('listens on loopback, serves pages, board and API, keeps its secrets to itself, and stops on SIGTERM', async () => {
    const database = await createDatabase(inject('databaseUrl'));
    onTestFinished(() => database.drop());
    const API_TOKEN = 'a-token-of-scripts';
    const dashboard = await start({ DASHBOARD_PASSWORD, API_TOKEN, READER_DATABASE_URL: database.url });
    const address = await listening(dashboard);
    expect(new URL(address).hostname).toBe('127.0.0.1');
    const ask = async (path: string, authorization: string) => {
      const answer = await fetch(address + path, { headers: { authorization } });
      return [answer.status, answer.headers.get('content-type')?.split(';')[0]];
    };
    const bearer = `Bearer ${API_TOKEN}`;
    expect(await ask('/api/v1/events', bearer)).toEqual([200, 'application/json']);
    expect(await ask('/queues', bearer)).toEqual([401, 'application/json']);
    for (const path of ['/conversations', '/queues']) {
      expect(await ask(path, basic(DASHBOARD_PASSWORD))).toEqual([200, 'text/html']);
    }
    expect((await fetch(address)).status).toBe(401);
    const [right, wrong] = [basic(DASHBOARD_PASSWORD), basic('wrong horse battery')];
    expect((await fetch(address, { headers: { authorization: right } })).status).toBe(200);
    expect((await fetch(address, { headers: { authorization: wrong } })).status).toBe(401);

    expect(await dashboard.stop()).toEqual([0, null]);
    expect(dashboard.output()).toContain('Dashboard login refused');
    for (const secret of [API_TOKEN, DASHBOARD_PASSWORD, 'wrong horse battery', right, wrong]) {
      expect(dashboard.output()).not.toContain(secret);
    }
  });

  it('stops when the process that forked it is gone', async () => {
    const dashboard = await start({ DASHBOARD_PASSWORD });
    await listening(dashboard);
    dashboard.child.disconnect();
    expect(await dashboard.exited).toEqual([0, null]);
  });
});
