import type { Clock } from '../clock.ts';
import { lockOf, otherFolders } from '../takeover/owner.ts';
import { askForRoom } from './room-request.ts';

/** How long the other processes are left alone when they could not make room, in ms. */
const REST_MS = 1000;

/** Whom an asker asks, and when. */
export interface OthersAskerOptions {
  /** The journal's folder. */
  dir: string;
  clock: Pick<Clock, 'elapsed'>;
  /** Looks how much room there is, when all have answered. */
  measure: () => Promise<void>;
}

/** Asks the living processes of a journal's folder to remove what Redis has, because this one has no room. */
export interface OthersAsker {
  /** Resolves when the others have answered, or at once while they are left alone. @throws the disk's error */
  ask(owner: string, bytes: number): Promise<void>;
  /** The others did not remove enough: they are left alone for a moment. */
  rest(): void;
}

/** Makes an asker. */
export function createOthersAsker({ dir, clock, measure }: OthersAskerOptions): OthersAsker {
  let asking: Promise<void> | undefined;
  let restsUntil = -Infinity;

  async function askOnce(owner: string, bytes: number): Promise<void> {
    const living = (await otherFolders(dir, owner)).filter(({ isHeld }) => isHeld);
    await Promise.all(living.map(({ path }) => askForRoom(lockOf(path), bytes)));
    if (living.length > 0) await measure();
  }

  return {
    async ask(owner, bytes) {
      if (clock.elapsed() >= restsUntil) asking ??= askOnce(owner, bytes).finally(() => (asking = undefined));
      await asking;
    },
    rest: () => void (restsUntil = clock.elapsed() + REST_MS),
  };
}
