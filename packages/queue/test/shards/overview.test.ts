import { expect, it, onTestFinished } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { openAllQueues } from '../../src/shards/queues.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { waitUntil } from '../support/wait-until.ts';

it('the overview sums what all shards hold, old ones too, and names those that are away', async () => {
  const [first, second] = await Promise.all([startPrivateRedis(), startPrivateRedis()]);
  onTestFinished(async () => void (await Promise.all([first, second].map((server) => server.remove()))));
  await (await aShard({ redisUrl: first.url, prefix: '{landline:0}' })).add([anEvent(), anEvent()], 100);
  const other = await aShard({ redisUrl: second.url, prefix: '{landline:1}' });
  await other.add([anEvent()], 50);
  await (await aShard({ redisUrl: second.url, prefix: '{landline:7}' })).add([anEvent()], 50);
  const { rejected } = await theQueues(first.url, '{landline:0}');
  await rejected.add('signature_missing', {});
  const all = openAllQueues({ redisUrl: `${first.url},${second.url}` });
  onTestFinished(() => all.close());
  await waitUntil(() => all.shards().length === 3);
  // A shard that takes longer than half a second to answer is left out.
  await waitUntil(async () => (await all.overview()).away.length === 0);
  const overview = await all.overview();
  expect(overview.backlog).toMatchObject({ jobs: 3, events: 4 });
  expect(overview.backlog.oldestSeconds).toBeGreaterThan(0);
  expect(overview.events).toEqual({ waiting: 3, active: 0, delayed: 0, failed: 0 });
  expect(overview).toMatchObject({ away: [], deadLetters: 0, rejected: 1 });
  expect(overview.shards.map(({ shard, backlog }) => [shard, backlog?.events])).toEqual([
    ['0', 2],
    ['1', 1],
    [expect.stringMatching(/^old-7-/), 1],
  ]);
  await first.kill();
  expect(await all.overview()).toMatchObject({ away: ['0'], backlog: { jobs: 2 }, rejected: 0 });
});
