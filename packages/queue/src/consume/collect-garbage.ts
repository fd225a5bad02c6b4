import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects garbage after so much data of jobs, in bytes. */
const COLLECT_AFTER_BYTES = 16 * 1024 * 1024;

/** Has V8 collect its garbage when jobs have left much of it. */
export interface GarbageCollection {
  /** Tells that job data of so many bytes has become garbage. */
  note(bytes: number): void;
}

/**
 * Makes it, with nothing noted.
 *
 * V8 lets the heap grow to several times what is in use before it collects, and it counts buffers late. A job of 40 MB leaves 300 MB: a few
 * of them are more than a small machine has, whatever the limit on what is in hand. A backlog of small jobs leaves as much: transcripts that
 * are packed in Redis grew the heap to 580 MB.
 */
export function createGarbageCollection(): GarbageCollection {
  let noted = 0;
  return {
    note(bytes) {
      noted += bytes;
      if (noted < COLLECT_AFTER_BYTES) return;
      noted = 0;
      collect();
    },
  };
}

let gc: unknown;

function collect(): void {
  if (gc === undefined) {
    // Node has no other way to V8's function than its option --expose-gc. Contexts that are made from then on have the function.
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc');
  }
  if (typeof gc === 'function') gc();
}
