import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { spawnServer, waitUntilServing } from '../../src/processes/spawn-server.ts';

/** The check of a server that never serves. */
const never = () => Promise.resolve(false);

/** Runs a shell script as a server. */
async function serve(script: string) {
  const logFile = join(await makeTempFolder(), 'server.log');
  const server = await spawnServer({ command: 'sh', args: ['-c', script], logFile });
  onTestFinished(() => server.kill('SIGKILL'));
  return { server, logFile };
}

test('writes both outputs to the log, which is for its owner alone', async () => {
  const { server, logFile } = await serve('echo out; echo err >&2');
  await server.exited;
  expect(await readFile(logFile, 'utf8')).toBe('out\nerr\n');
});

test('works in the root folder, with the environment of a server and none of this process', async () => {
  const { server, logFile } = await serve('pwd; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort');
  await server.exited;
  expect(await readFile(logFile, 'utf8')).toBe(
    '/\nLC_ALL=C\nPATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\nTZ=UTC\n',
  );
});

test('keeps the log of the last run, and only of the last one', async () => {
  const { server, logFile } = await serve('echo first');
  await server.exited;
  for (const word of ['second', 'third']) {
    const next = await spawnServer({ command: 'sh', args: ['-c', `echo ${word}`], logFile });
    await next.exited;
  }
  expect(await readFile(logFile, 'utf8')).toBe('third\n');
  expect(await readFile(`${logFile}.1`, 'utf8')).toBe('second\n');
});

test('leads a process group of its own', async () => {
  const { server, logFile } = await serve('ps -o pgid= -p $$');
  await server.exited;
  expect(Number(await readFile(logFile, 'utf8'))).toBe(server.pid);
});

test('rejects a program that is not there', async () => {
  const logFile = join(await makeTempFolder(), 'server.log');
  await expect(spawnServer({ command: '/nowhere/at-all', args: [], logFile })).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

test('waits until a server serves', async () => {
  const { server, logFile } = await serve('echo ready; exec sleep 600');
  let asked = 0;
  const isServing = async () => {
    asked += 1;
    return asked > 2 && (await readFile(logFile, 'utf8')) === 'ready\n';
  };
  await waitUntilServing({ process: server, name: 'The server', code: 'redis_failed', logFile, isServing });
  expect(asked).toBeGreaterThan(2);
});

test('shows the last eight lines of the log where the server ends before it serves', async () => {
  const { server, logFile } = await serve('for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done; exit 1');
  const waiting = waitUntilServing({ process: server, name: 'Redis', code: 'redis_failed', logFile, isServing: never });
  const last = [3, 4, 5, 6, 7, 8, 9, 10].map((i) => `line ${i}`).join('\n');
  await expect(waiting).rejects.toMatchObject({
    name: 'LocalServerError',
    code: 'redis_failed',
    message: `Redis did not start. Its log, ${logFile}, ends with:\n${last}`,
    cause: expect.objectContaining({ message: expect.stringContaining('ended (code 1)') }),
  });
});

test('says where the log of a server is that has written nothing', async () => {
  const { server, logFile } = await serve('exit 1');
  await server.exited;
  await writeFile(logFile, '');
  const waiting = waitUntilServing({
    process: server,
    name: 'Postgres',
    code: 'postgres_failed',
    logFile,
    isServing: never,
  });
  await expect(waiting).rejects.toMatchObject({ code: 'postgres_failed', message: expect.stringContaining(logFile) });
});
