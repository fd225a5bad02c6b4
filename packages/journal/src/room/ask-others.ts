import type { Clock } from '../clock.ts';
import { lockOf, otherFolders } from '@landline/held-folder';
import { askForRoom } from './room-request.ts';

/**
 * How long this process does not ask again after the others could not free room, in ms. A shorter time repeats requests
 * while the limit is used up.
 */
const PAUSE_MS = 1000;

/** The dependencies of an asker. */
export interface OthersAskerOptions {
  /** The journal's folder. */
  dir: string;
  clock: Pick<Clock, 'elapsed'>;
  /** Measures the room after all have answered. */
  measure: () => Promise<void>;
}

/** Asks the living processes of a journal's folder to remove what Redis has, because this process has no room. */
export interface OthersAsker {
  /** Resolves when the others have answered; at once during a pause. @throws the disk's error */
  ask(owner: string, bytes: number): Promise<void>;
  /** Starts a pause, because the others did not free enough. */
  pause(): void;
}

/** Makes an asker. */
export function createOthersAsker({ dir, clock, measure }: OthersAskerOptions): OthersAsker {
  let asking: Promise<void> | undefined;
  let pausedUntil = -Infinity;

  async function askOnce(owner: string, bytes: number): Promise<void> {
    const living = (await otherFolders(dir, owner)).filter(({ isHeld }) => isHeld);
    await Promise.all(living.map(({ path }) => askForRoom(lockOf(path), bytes)));
    if (living.length > 0) await measure();
  }

  return {
    async ask(owner, bytes) {
      if (clock.elapsed() >= pausedUntil) asking ??= askOnce(owner, bytes).finally(() => (asking = undefined));
      await asking;
    },
    pause: () => void (pausedUntil = clock.elapsed() + PAUSE_MS),
  };
}
