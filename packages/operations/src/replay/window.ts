import { once, EventEmitter } from 'node:events';
import type { Batch } from './batch.ts';

/** Jobs that wait or run at once. So a replay fills neither Redis nor memory, and an event that arrives waits for few others. */
const MOST_BATCHES = 8;

/** Bytes of bodies in these jobs; a larger batch goes alone. */
const MOST_BYTES = 16 * 1024 * 1024;

/** The batches that were sent and are not settled, oldest first. */
export interface Window {
  /** Resolves when there is room for a batch of so many bytes. @throws the signal's reason as soon as it is aborted */
  room(bytes: number, signal: AbortSignal): Promise<void>;
  add(batch: Batch): void;
  all(): readonly Batch[];
  /** Replaces the oldest batch by what is left of it. */
  replaceFirst(batch: Batch): void;
  removeFirst(): void;
  /** No more batches come. */
  close(): void;
  isClosed(): boolean;
}

/** Makes a window in which nothing is. */
export function createWindow(): Window {
  const batches: Batch[] = [];
  const changes = new EventEmitter();
  let isClosed = false;

  function hasRoom(bytes: number): boolean {
    const held = batches.reduce((sum, batch) => sum + batch.bytes, 0);
    return batches.length === 0 || (batches.length < MOST_BATCHES && held + bytes <= MOST_BYTES);
  }

  return {
    async room(bytes, signal) {
      signal.throwIfAborted();
      while (!hasRoom(bytes)) {
        // oxlint-disable-next-line no-await-in-loop -- until there is room
        await once(changes, 'removed', { signal }).catch(() => undefined);
        signal.throwIfAborted();
      }
    },
    add: (batch) => void batches.push(batch),
    all: () => batches,
    replaceFirst(batch) {
      batches[0] = batch;
    },
    removeFirst() {
      batches.shift();
      changes.emit('removed');
    },
    close: () => void (isClosed = true),
    isClosed: () => isClosed,
  };
}
