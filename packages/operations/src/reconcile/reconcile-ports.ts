import type { Ledger } from '@landline/store';
import type { Provider } from '@landline/provider';
import type { ReplayLetters, ReplayQueue } from '../replay/replay-ports.ts';
import type { RunStore } from './retrying-store.ts';

/** Takes audio that is fetched: into the spool, and from there into the storage and the queue. */
export interface AudioSink {
  /**
   * Takes audio as it comes, as the event post_call_audio. Resolves when the spool has all of it for good; the event follows by itself.
   *
   * The reading is always ended.
   *
   * @param beforeKept  Called with the ledger id that the event will have, before anybody can apply it.
   * @returns           That id.
   * @throws            What the reading throws, and `beforeKept`; SpoolError where the disk has no room. Then nothing is kept.
   */
  take(
    call: FetchedCall,
    audio: AsyncIterable<Buffer>,
    beforeKept?: (eventId: string) => Promise<void>,
  ): Promise<string>;
}

/** Of which call something was fetched. */
export interface FetchedCall {
  conversationId: string;
  agentId: string | null;
  /** Start and duration: the event's time, in unix milliseconds. */
  endedAt: number;
}

/** How many calls were fetched together. */
export interface FetchedCounts {
  calls: number;
  /** Of these, how many a comparison had to fetch that ended since the first one began: their webhooks could have come. */
  missed: number;
}

/** What a comparison with the provider works with. */
export interface ReconcilePorts {
  store: RunStore;
  ledger: Pick<Ledger, 'states'>;
  provider: Pick<Provider, 'conversations' | 'conversation' | 'audio'>;
  queue: Pick<ReplayQueue, 'add' | 'hasRoom' | 'states'>;
  letters: Pick<ReplayLetters, 'remove'>;
  /** Undefined: audio is not kept (RECORDINGS_URL is not set), so none is missing. */
  audio: AudioSink | undefined;
  /** Tells whether the spool that `audio` fills still has an event. */
  isSpooled?: ((eventId: string) => boolean) | undefined;
  /** RECONCILE_WINDOW_HOURS */
  windowHours: number;
  /** Days after which conversations and recordings are forgotten by their age: what is older is not fetched. Undefined: never. */
  keptDays: { conversations?: number | undefined; recordings?: number | undefined };
  /** Called when transcripts and audio of calls are here that were missing. */
  onFetched?: (counts: FetchedCounts) => void;
  /** Up to how many calls a whole window is listed by every run of the schedule. Only tests need another number. */
  mostCheap?: number | undefined;
  /** How long it is waited for events that were enqueued and of which none is applied, in ms. Only tests need another time. */
  settleMs?: number | undefined;
}
