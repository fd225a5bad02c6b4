import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openQueues, WEBHOOK_QUEUE } from '@landline/queue';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createApp } from '../../src/app.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;

/** A job of one event. */
function jobOf(body: string) {
  return { v: 1, events: [{ receivedAt: 1, signedAt: 1, secretId: 'x', encoding: 'utf8', body }] };
}

it('shows the events of a packed job', async () => {
  const queues = openQueues({ redisUrl: inject('redisUrl'), prefix: `{dashboard-${randomUUID()}}` });
  const app = createApp({ shards: () => [queues], login });
  onTestFinished(async () => {
    await app.close();
    await queues.events.obliterate({ force: true });
    await queues.close();
  });
  await queues.ping();
  const packed: unknown = JSON.parse(
    await readFile(new URL('../../../../test/jobs/v3-packed.json', import.meta.url), 'utf8'),
  );
  await queues.events.add('events', packed, { jobId: 'job-packed' });
  const ask = (url: string) => app.inject({ url, headers: { authorization } });
  const shown = {
    v: 1,
    events: [
      expect.objectContaining({ encoding: 'utf8', body: expect.stringContaining('"message":"packed, with an é"') }),
      expect.objectContaining({ encoding: 'base64' }),
    ],
  };
  expect((await ask(`/queues/api/queues/${WEBHOOK_QUEUE}/job-packed`)).json().job.data).toEqual(shown);
  const poll = await ask(`/queues/api/queues?activeQueue=${WEBHOOK_QUEUE}&status=latest&page=1&jobsPerPage=10`);
  expect(poll.json().queues[1].jobs.map(({ data }: { data: unknown }) => data)).toEqual([shown]);
});

it('lists large jobs without their bodies, and shows a job whole up to a size', async () => {
  const queues = openQueues({ redisUrl: inject('redisUrl'), prefix: `{dashboard-${randomUUID()}}` });
  const app = createApp({ shards: () => [queues], login });
  onTestFinished(async () => {
    await app.close();
    await queues.events.obliterate({ force: true });
    await queues.close();
  });
  await queues.ping();
  for (let i = 0; i < 10; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await queues.events.add('events', jobOf('x'.repeat(i === 9 ? 200_000 : 3_000_000)), { jobId: `job-${i}` });
  }
  const ask = (url: string) => app.inject({ url, headers: { authorization } });

  const poll = await ask(`/queues/api/queues?activeQueue=${WEBHOOK_QUEUE}&status=latest&page=1&jobsPerPage=10`);
  expect(poll.statusCode).toBe(200);
  expect(poll.body.length).toBeLessThan(50_000);
  expect(poll.json().queues[1]).toMatchObject({ counts: { waiting: 10 } });
  expect(poll.json().queues[1].jobs.map((job: { id: string }) => job.id)).toContain('job-0');

  const whole = await ask(`/queues/api/queues/${WEBHOOK_QUEUE}/job-9`);
  expect(whole.json().job.data).toEqual(jobOf('x'.repeat(200_000)));
  const cut = await ask(`/queues/api/queues/${WEBHOOK_QUEUE}/job-0`);
  expect(cut.body.length).toBeLessThan(300_000);
  expect(cut.json().job.data.events[0].body).toMatch(/^x{262144}… \(262144 of 3000000 characters are shown/);
  expect((await queues.events.getJob('job-0'))?.data).toEqual(jobOf('x'.repeat(3_000_000)));
});
