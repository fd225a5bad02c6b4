import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import type { LiveEvent } from './live-event.ts';
import type { MonitorMetrics } from './metrics.ts';
import { createOneAlone } from './one-alone.ts';
import type { PostEvent } from './post-event.ts';

/** The pauses before an event is sent again, in ms: the first one, which doubles, the longest, and the longest after a 401. */
const PAUSES = { first: 500, longest: 30_000, refused: 300_000 };

/** How long an event is answered 4xx before it is given up, in ms: those of its call wait behind it. */
const GIVE_UP_MS = 600_000;

/** Answers of 4xx that the same event need not have later: the secret is mended, the network was slow, others sent too much. */
const PASSING: ReadonlySet<number> = new Set([401, 408, 429]);

/** The options of a sender. */
export interface SenderOptions {
  post: PostEvent;
  metrics: Pick<MonitorMetrics, 'sent' | 'refused' | 'givenUp'>;
  logger: Logger;
  pauses?: typeof PAUSES;
  giveUpMs?: number;
}

/** Sends events to the receiver. */
export interface Sender {
  /** Sends an event again and again. Resolves when the receiver has answered 200, or never will, or `leaving` aborts. Never rejects. */
  send(event: LiveEvent, leaving: AbortSignal): Promise<void>;
  /** Whether the receiver took the last event that was sent. */
  isReceiverUp(): boolean;
}

/** Makes a sender. It logs a fault once, until another takes its place or the receiver takes events again. */
export function createSender({ post, metrics, logger, pauses = PAUSES, giveUpMs = GIVE_UP_MS }: SenderOptions): Sender {
  // The receiver keeps each request that it answers 401 for a person to look at. So they are few.
  const oneAlone = createOneAlone<LiveEvent>();
  let fault: string | undefined;
  const note = (found: string | undefined): void => {
    if (found !== fault && found !== undefined) logger.warn(found);
    if (found === undefined && fault !== undefined) logger.info('The receiver takes events again');
    fault = found;
  };
  const giveUp = (type: LiveEvent['type'], why: string): void => {
    metrics.givenUp.inc();
    logger.warn({ type }, `An event ${why}, and is left out`);
  };
  /** Resolves with the answer's status, or with why there is none. */
  const tryOnce = async (event: LiveEvent): Promise<number | string> => {
    const answer = await post(event.body).catch((error: unknown) => codeOf(error));
    oneAlone.note(event, answer === 401);
    if (answer === 200) metrics.sent.inc({ type: event.type });
    if (isRefusal(answer)) metrics.refused.inc({ by: 'receiver' });
    note(answer === 200 || answer === 413 ? undefined : describe(answer));
    return answer;
  };
  const pauseAfter = (tries: number, longest: number) => Math.min(pauses.first * 2 ** Math.min(tries, 20), longest);
  return {
    isReceiverUp: () => fault === undefined,
    async send(event, leaving) {
      let refusedSince: number | undefined;
      let unauthorized = 0;
      for (let tries = 0; ; tries++) {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        await oneAlone.turn(event, leaving);
        if (leaving.aborted) return;
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        const answer = await tryOnce(event);
        if (answer === 200) return;
        if (answer === 413) return giveUp(event.type, 'is larger than BODY_LIMIT_BYTES of the receiver');
        refusedSince = isRefusal(answer) && !PASSING.has(answer) ? (refusedSince ?? Date.now()) : undefined;
        if (refusedSince !== undefined && Date.now() - refusedSince >= giveUpMs)
          return giveUp(event.type, `was answered ${answer} for ${giveUpMs / 60_000} minutes`);
        unauthorized = answer === 401 ? unauthorized + 1 : 0;
        const pause =
          unauthorized > 0 ? pauseAfter(unauthorized - 1, pauses.refused) : pauseAfter(tries, pauses.longest);
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        await wait(pause, undefined, { signal: leaving }).catch(() => undefined);
      }
    },
  };
}

function isRefusal(answer: number | string): answer is number {
  return typeof answer === 'number' && answer >= 400 && answer < 500;
}

function describe(answer: number | string): string {
  const again = 'What it does not have is sent again until it does';
  if (typeof answer === 'string') return `The receiver does not answer (${answer}): see MONITOR_WEBHOOK_URL. ${again}`;
  if (answer === 401) {
    return `The receiver answers 401: the newest ELEVENLABS_WEBHOOK_SECRET of the monitor is none of the receiver’s, or their clocks differ. ${again}`;
  }
  if (answer === 503) return `The receiver answers 503: neither Redis nor its disk takes events. ${again}`;
  return `The receiver answers ${answer}: is MONITOR_WEBHOOK_URL the address of its webhook? Events are sent again for a while`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? String(error.code) : error.name;
}
