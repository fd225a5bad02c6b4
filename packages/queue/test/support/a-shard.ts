import { onTestFinished } from 'vitest';
import type { Place } from '../../src/servers/place.ts';
import { openShard, type Shard } from '../../src/shard.ts';

/** A connected shard that is closed when the test ends. Its limit is one that no stall of the machine reaches. */
export async function aShard(options: Place): Promise<Shard> {
  const shard = openShard({
    enqueueTimeoutMs: 20_000,
    onAway: () => undefined,
    onWarning: () => undefined,
    onError: () => undefined,
    onReady: () => undefined,
    ...options,
  });
  onTestFinished(() => shard.close());
  await shard.connect({ isRequired: true });
  return shard;
}
