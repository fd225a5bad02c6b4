import { setTimeout as delay } from 'node:timers/promises';

/** Bytes of one sender that pass before the next sender has its turn. */
const TURN_BYTES = 16_384;

/** A line that carries so many bytes a second. Its senders take turns, as the connections of a real line do. */
export interface SlowLine {
  /** Calls `pass` with each part of the bytes when the line has carried it. Keeps the order of a sender's bytes. */
  send(sender: object, bytes: Buffer, pass: (part: Buffer) => void): void;
  /** Forgets what a sender has sent and the line has not carried. */
  drop(sender: object): void;
}

/** Makes a line. */
export function openSlowLine(bytesPerSecond: number): SlowLine {
  const waiting = new Map<object, (() => number)[]>();
  let isCarrying = false;

  async function carry(): Promise<void> {
    isCarrying = true;
    let freeAt = performance.now();
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const [sender, parts] = next;
      const bytes = parts.shift()?.() ?? 0;
      // A Map keeps its order: who has had a turn goes behind the others.
      waiting.delete(sender);
      if (parts.length > 0) waiting.set(sender, parts);
      freeAt += (bytes / bytesPerSecond) * 1000;
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      await delay(Math.max(0, freeAt - performance.now()));
    }
    isCarrying = false;
  }

  return {
    send(sender, bytes, pass) {
      const parts = waiting.get(sender) ?? [];
      for (let at = 0; at < bytes.length; at += TURN_BYTES) {
        const part = bytes.subarray(at, at + TURN_BYTES);
        parts.push(() => {
          pass(part);
          return part.length;
        });
      }
      waiting.set(sender, parts);
      if (!isCarrying) void carry();
    },
    drop: (sender) => void waiting.delete(sender),
  };
}
