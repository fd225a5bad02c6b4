import { StoreError } from '@landline/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bodyPartitionsTask, watchBodyPartitions } from '../src/database/body-partitions.ts';
import { openWork } from './support/work.ts';

const WITHIN = { timeout: 20_000, interval: 10 };
const TODAY = `to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')`;

test('partitions that are missing are there soon after the start, and a task makes one that is missing later', async () => {
  const work = await openWork();
  const drop = async () => {
    const [row] = await work.admin(`SELECT 'webhook_bodies_' || ${TODAY} AS name`);
    await work.admin(`DROP TABLE ${String(row?.['name'])}`);
  };
  const isThere = async () =>
    (await work.admin(`SELECT 1 FROM pg_class WHERE relname = 'webhook_bodies_' || ${TODAY}`)).length === 1;
  await drop();
  const watch = watchBodyPartitions(work.store, work.context.logger);
  onTestFinished(() => watch.stop());
  await vi.waitUntil(isThere, WITHIN);
  await drop();
  await bodyPartitionsTask(work.store, work.context.logger).run(new AbortController().signal);
  expect(await isThere()).toBe(true);
  expect(work.messages()).toContain('Made partitions for the bodies of the next days');
});

test('a check that fails is logged with what to do, and repeated', async () => {
  const work = await openWork();
  let checks = 0;
  const advice = 'GRANT it';
  const makeBodyPartitions = () => {
    checks += 1;
    return checks === 1
      ? Promise.reject(new StoreError('no right', { faultClass: 'configuration', code: '42501', advice }))
      : Promise.resolve(0);
  };
  const watch = watchBodyPartitions({ makeBodyPartitions }, work.context.logger, { retryMs: 10 });
  onTestFinished(() => watch.stop());
  await vi.waitUntil(() => checks === 2, WITHIN);
  expect(work.log()).toContain('"code":"42501","advice":"GRANT it"');
});
