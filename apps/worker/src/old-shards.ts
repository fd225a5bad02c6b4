import {
  watchOldShards,
  type DeadLetters,
  type OldShard,
  type OldShardWatch,
  type QueueServers,
} from '@landline/queue';
import type { Consumers } from './process/consumers.ts';

/** What learns of old shards. */
export interface OldShardUsers {
  consumers: Pick<Consumers, 'addOld'>;
  connections: { deadLetters: Pick<DeadLetters, 'alsoLookAt'> };
}

/** Serves shards that hold jobs from when QUEUE_SHARDS was another. */
export interface OldShards {
  /** Begins to look for them. Calls `onLooked` after the first look, unless `stop` was called. */
  start(onLooked: () => void): void;
  stop(): Promise<void>;
}

/** Makes it; it asks nobody until `start`. */
export function createOldShards(servers: QueueServers, { consumers, connections }: OldShardUsers): OldShards {
  let watch: OldShardWatch | undefined;
  let hasStopped = false;

  function onFound(old: OldShard): void {
    consumers.addOld(old);
    connections.deadLetters.alsoLookAt(old);
  }

  /** Before the first look, letters that rest in an old shard would seem to be missing. */
  async function afterFirstLook({ firstLook }: OldShardWatch, onLooked: () => void): Promise<void> {
    await firstLook;
    if (!hasStopped) onLooked();
  }

  return {
    start(onLooked) {
      watch ??= watchOldShards({ servers, onFound });
      void afterFirstLook(watch, onLooked);
    },
    async stop() {
      hasStopped = true;
      await watch?.stop();
    },
  };
}
