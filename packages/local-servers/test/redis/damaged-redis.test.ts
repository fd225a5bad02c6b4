import { once } from 'node:events';
import { chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closeServer } from '../../../../test/support/close-server.ts';
import { chooseQuietPort } from '../../../../test/support/quiet-port.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { isRunning } from '../../src/processes/is-running.ts';
import { askRedis } from '../../src/redis/ask-redis.ts';
import { startRedis } from '../../src/redis/start-redis.ts';

async function startIn(dir: string, port = 0) {
  const redis = await startRedis({ dir, port });
  onTestFinished(() => redis.stop());
  return redis;
}

/** Starts and stops a Redis with one key. Answers the path of its append-only file. */
async function makeData(dir: string): Promise<string> {
  const { url, stop } = await startIn(dir);
  await askRedis(url, ['SET call 1']);
  await stop();
  const files = await readdir(join(dir, 'appendonlydir'));
  return join(dir, 'appendonlydir', files.find((name) => name.endsWith('.incr.aof')) ?? '');
}

test('says with the end of the log that its port is taken, and leaves no process file', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const port = await chooseQuietPort();
  const sockets: Socket[] = [];
  const other = createServer((socket) => void sockets.push(socket)).listen(port, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => closeServer(other, () => sockets.forEach((socket) => socket.destroy())));
  await expect(startRedis({ dir, port })).rejects.toMatchObject({
    code: 'redis_failed',
    message: expect.stringMatching(/^Redis did not start\. Its log, .*redis\.log, ends with:\n[^]*(in use|bind)/),
  });
  await expect(stat(`${dir}.pid`)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('refuses a file that is damaged in the middle, says so, and keeps the file', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const file = await makeData(dir);
  const bytes = await readFile(file);
  bytes.write('XXXX', 0);
  await writeFile(file, bytes);
  await expect(startRedis({ dir, port: 0 })).rejects.toMatchObject({
    code: 'redis_failed',
    message: expect.stringContaining('Bad file format'),
  });
  expect(await readFile(file)).toEqual(bytes);
});

test('starts with a file whose last write was cut short', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const file = await makeData(dir);
  const bytes = await readFile(file);
  await writeFile(file, Buffer.concat([bytes, Buffer.from('*3\r\n$3\r\nSET\r\n$5\r\nother')]));
  const { url } = await startIn(dir);
  expect(await askRedis(url, ['GET call', 'GET other'])).toEqual(['+OK', '$1', '1', '$-1', '+OK']);
});

test.each(['', 'no number\n', '-1\n', '0\n', '99999999\n'])(
  'starts beside the process file %j of an old run',
  async (text) => {
    const dir = join(await makeTempFolder(), 'redis');
    await writeFile(`${dir}.pid`, text);
    const { pid, stop } = await startIn(dir);
    expect(await readFile(`${dir}.pid`, 'utf8')).toBe(`${pid}\n`);
    await stop();
    await expect(stat(`${dir}.pid`)).rejects.toMatchObject({ code: 'ENOENT' });
  },
);

test('makes a new password when its file is gone, and keeps the data', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  const first = await startIn(dir);
  await askRedis(first.url, ['SET call 1']);
  await first.stop();
  await rm(`${dir}-password`);
  const second = await startIn(dir);
  expect(new URL(second.url).password).not.toBe(new URL(first.url).password);
  expect(await askRedis(second.url, ['GET call'])).toContain('1');
});

test('takes the password that a user wrote', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  await writeFile(`${dir}-password`, 'opensesame\n');
  const { url } = await startIn(dir);
  expect(new URL(url).password).toBe('opensesame');
  expect(await askRedis(url, ['PING'])).toEqual(['+OK', '+PONG', '+OK']);
});

test('starts nothing where its folder is a file, and leaves that file', async () => {
  const dir = join(await makeTempFolder(), 'redis');
  await writeFile(dir, 'mine');
  await expect(startRedis({ dir, port: 0 })).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readFile(dir, 'utf8')).toBe('mine');
});

test.runIf(process.getuid?.() === 0)(
  'as root it runs as the owner of its folder, who can open every file',
  async () => {
    const dir = join(await makeTempFolder(), 'redis');
    await mkdir(dir);
    await chown(dir, 65_534, 65_534);
    const file = await makeData(dir);
    expect(await stat(file)).toMatchObject({ uid: 65_534, gid: 65_534 });
  },
);

test('is gone after its stop', async () => {
  const { pid, exited, stop } = await startIn(join(await makeTempFolder(), 'redis'));
  await stop();
  expect(await exited).toBe('code 0');
  expect(isRunning(pid)).toBe(false);
});
