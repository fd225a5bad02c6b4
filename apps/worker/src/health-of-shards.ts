import type { Health, Readiness } from './health.ts';

/**
 * Makes the health of a worker with several shards of that for each shard: the worker is alive while it is for each of them, and its Redis
 * is ready while one shard answers.
 */
export function healthOfShards(each: readonly [Health, ...Health[]]): Health {
  const [only] = each;
  if (each.length === 1) return only;
  return {
    isLive: async () => (await Promise.all(each.map((health) => health.isLive()))).every(Boolean),
    async readiness(): Promise<Readiness> {
      const all = await Promise.all(each.map((health) => health.readiness()));
      return (
        all.find(({ status }) => status === 'ready') ?? all.find(({ redis }) => redis === 'ready') ?? only.readiness()
      );
    },
  };
}
