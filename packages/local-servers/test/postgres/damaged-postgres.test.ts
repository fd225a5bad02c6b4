import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closeServer } from '../../../../test/support/close-server.ts';
import { chooseQuietPort } from '../../../../test/support/quiet-port.ts';
import { runSql } from '../../../../test/support/run-sql.ts';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { startPostgres } from '../../src/postgres/start-postgres.ts';

test('says why it does not start, and starts with its rows when that is put right', async () => {
  const dir = join(await makeTempFolder(), 'postgres');
  const first = await startPostgres({ dir, port: 0 });
  onTestFinished(() => first.stop());
  await runSql(first.url, 'CREATE TABLE calls AS SELECT 1 AS id');
  await first.stop();
  expect(await first.exited).toBe('code 0');

  const port = await chooseQuietPort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const free = () => closeServer(other, () => undefined);
  onTestFinished(free);
  await expect(startPostgres({ dir, port })).rejects.toMatchObject({
    code: 'postgres_failed',
    message: expect.stringMatching(/^Postgres did not start\. Its log, .*postgres\.log, ends with:\n[^]*in use/),
  });
  await free();

  await expect(startPostgres({ dir, port, args: ['-c', 'no_such_setting=1'] })).rejects.toMatchObject({
    code: 'postgres_failed',
    message: expect.stringContaining('no_such_setting'),
  });

  const version = await readFile(join(dir, 'PG_VERSION'), 'utf8');
  await writeFile(join(dir, 'PG_VERSION'), '9.6\n');
  await expect(startPostgres({ dir, port })).rejects.toMatchObject({
    code: 'postgres_failed',
    message: expect.stringContaining('is not compatible with this version'),
  });
  await writeFile(join(dir, 'PG_VERSION'), version);

  await rm(`${dir}.log`);
  const last = await startPostgres({ dir, port });
  onTestFinished(() => last.stop());
  expect(new URL(last.url).port).toBe(String(port));
  expect(await runSql(last.url, 'SELECT id FROM calls')).toEqual([{ id: 1 }]);
  await last.stop();
});
