import { onTestFinished } from 'vitest';
import type { Place } from '../../src/servers/place.ts';
import { openShard, type Shard } from '../../src/shard.ts';

/** A connected shard that is closed when the test ends. */
export async function aShard(options: Place): Promise<Shard> {
  const shard = openShard({
    enqueueTimeoutMs: 1000,
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
