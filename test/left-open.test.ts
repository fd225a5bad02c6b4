import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { ROOT } from './support/root.ts';

const FOLDER = join(ROOT, 'test/left-open');
const vitestReport = z.object({
  testResults: z.array(z.object({ name: z.string(), status: z.string(), message: z.string() })),
});

/** Runs the files of test/left-open as a suite of their own. Returns the messages of each file. */
async function runFiles(): Promise<Record<string, { status: string; message: string }>> {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', join(FOLDER, 'vitest.config.ts'), '--reporter', 'json'];
  const env = { PATH: process.env['PATH'], REDIS_URL: inject('redisUrl'), DATABASE_URL: inject('databaseUrl') };
  const ended: unknown = await promisify(execFile)(process.execPath, args, { cwd: FOLDER, env }).catch(
    (error: unknown) => error,
  );
  const { code, stdout } = z.object({ code: z.number(), stdout: z.string() }).parse(ended);
  expect(code).toBe(1);
  const { testResults } = vitestReport.parse(JSON.parse(stdout));
  return Object.fromEntries(
    testResults.map(({ name, status, message }) => [name.slice(FOLDER.length + 1), { status, message }]),
  );
}

/** The message of a file that leaves something open. */
function leaving(file: string, what: RegExp) {
  return {
    status: 'failed',
    message: expect.stringMatching(new RegExp(`${file} leaves open:\\na ${what.source}`)),
  };
}

function connectionTo(url: string): RegExp {
  return new RegExp(`connection from port \\d+ to 127\\.0\\.0\\.1:${new URL(url).port}`);
}

test('a test file that leaves a connection or a server open fails, and the message names both', async () => {
  expect(await runFiles()).toEqual({
    'closes.fixture.ts': { status: 'passed', message: '' },
    'leaves-server.fixture.ts': leaving('leaves-server.fixture.ts', /server that listens at 127\.0\.0\.1:\d+/),
    'leaves-redis.fixture.ts': leaving('leaves-redis.fixture.ts', connectionTo(inject('redisUrl'))),
    'leaves-postgres.fixture.ts': leaving('leaves-postgres.fixture.ts', connectionTo(inject('databaseUrl'))),
  });
});
