import {
  chunksOf,
  textMatcher,
  type EventFilter,
  type EventPosition,
  type SizedEvent,
  type StoredBody,
} from '@landline/store';
import { normalise, type Delivery } from '@landline/webhook';
import { createJobAdder, MOST_IN_JOB } from '../job-adder.ts';
import type { OperationContext } from '../operation-kind.ts';
import { createPace } from '../pace.ts';
import { jobIdOf, type Batch, type SentEvent } from './batch.ts';
import type { ReplayPorts } from './replay-ports.ts';
import { checkpointSchema } from './settle.ts';
import type { Window } from './window.ts';

/** Events of the ledger that are listed at once. */
const PAGE = 1_000;

/** With a rate, jobs are so small that there are this many a second. */
const JOBS_A_SECOND = 4;

/**
 * Pages behind a checkpoint in which the worker before may have sent events: those of its window, and those that it had counted since it last wrote
 * its progress.
 */
const REVISITED_PAGES = 20;

const BODY_GONE = 'whose body is gone';

/** What events are sent with. */
export interface SendOptions {
  context: OperationContext;
  ports: ReplayPorts;
  window: Window;
  filter: EventFilter;
}

/** Sends events again. */
export interface Sender {
  /** Sends all events that match, from the checkpoint on. @throws the signal's reason as soon as it is aborted */
  readonly sendAll: () => Promise<void>;
  /** Sends events again whose job was lost; returns the id of their new job, undefined where no body is left. */
  readonly resend: (batch: Batch, events: readonly SentEvent[]) => Promise<string | undefined>;
}

/** Makes the sender of a replay. */
export function createSender({ context, ports, window, filter }: SendOptions): Sender {
  const { operation, signal } = context;
  const pace = createPace(operation.rate);
  const most = { events: eventsInJob(operation.rate), bytes: MOST_IN_JOB.bytes };
  const addJob = createJobAdder(context, ports.queue);

  async function add(ids: readonly string[], deliveries: readonly Delivery[], sending: number): Promise<string> {
    const id = jobIdOf(operation.id, ids, sending);
    await addJob(
      id,
      deliveries.map((delivery): Delivery => ({ ...delivery, origin: againOf(delivery) })),
    );
    return id;
  }

  async function sendChunk(events: readonly SizedEvent[], isRevisited: boolean): Promise<void> {
    const bytes = events.reduce((sum, { storedBytes }) => sum + (storedBytes ?? 0), 0);
    await window.room(bytes, signal);
    const bodies = await context.retry(() => ports.ledger.bodies(events.map(({ id }) => id)));
    const { deliveries, sent, unsent } = choose(events, bodies, { ...filter, isRevisited });
    await pace.take(sent.length, signal);
    const jobId = sent.length === 0 ? undefined : await add(idsOf(sent), deliveries, 1);
    window.add({ jobId, sent, unsent, position: positionOf(events), bytes, sendings: 1 });
  }

  return {
    async sendAll() {
      let after = checkpointSchema.parse(operation.checkpoint ?? {}).position;
      let isMore = true;
      // oxlint-disable no-await-in-loop -- one page after the other, and one job
      for (let pages = 0; isMore; pages++) {
        const appliedSince = pages < REVISITED_PAGES ? revisitSince(operation) : undefined;
        const options = { order: 'oldest', after, appliedSince, limit: PAGE } as const;
        const page = await context.retry(() => ports.ledger.page(filter, options));
        for (const chunk of chunksOf(page, most)) await sendChunk(chunk, appliedSince !== undefined);
        after = page.at(-1);
        isMore = page.length === PAGE;
      }
      // oxlint-enable no-await-in-loop
      window.close();
    },
    async resend({ sendings }, events) {
      const read = await context.retry(() => ports.ledger.bodies(idsOf(events)));
      const deliveries = read.flatMap(({ delivery }) => delivery ?? []);
      return deliveries.length === 0 ? undefined : add(idsOf(events), deliveries, sendings + 1);
    },
  };
}

/**
 * Returns since when an event that is applied may have been applied by the worker before, in unix ms: it matches still, and is counted now.
 * Undefined where no worker was before. Postgres has no index for that question.
 */
function revisitSince({ fence, startedAt }: OperationContext['operation']): number | undefined {
  return fence > 1 ? (startedAt ?? undefined) : undefined;
}

interface Chosen {
  deliveries: Delivery[];
  sent: SentEvent[];
  /** Why events are not sent. */
  unsent: string[];
}

interface Choosing extends Pick<EventFilter, 'text'> {
  /** Whether the worker before may have sent these events. */
  isRevisited: boolean;
}

/** Chooses the events that are sent: those with a body, which has the text where one is wanted. */
function choose(events: readonly SizedEvent[], read: readonly StoredBody[], { text, isRevisited }: Choosing): Chosen {
  const bodies = new Map(read.map((stored) => [stored.id, stored]));
  const matches = text === undefined ? () => true : textMatcher(text);
  const chosen: Chosen = { deliveries: [], sent: [], unsent: [] };
  for (const event of events) {
    const { delivery, body } = bodies.get(event.id) ?? {};
    if (delivery === undefined || body === undefined) {
      // Whether it has the text, nobody can tell any more.
      if (text === undefined) chosen.unsent.push(BODY_GONE);
    } else if (matches(body)) {
      chosen.deliveries.push(delivery);
      chosen.sent.push(sentEvent(event, delivery, isRevisited));
    }
  }
  return chosen;
}

/** What was fetched stays so: its clocks are below those of webhooks. */
function againOf({ origin }: Delivery): Delivery['origin'] {
  return origin === 'backfill' ? origin : 'replay';
}

function idsOf(events: readonly SentEvent[]): string[] {
  return events.map(({ id }) => id);
}

function eventsInJob(rate: number | null): number {
  const { events } = MOST_IN_JOB;
  return rate === null ? events : Math.max(1, Math.min(events, Math.floor(rate / JOBS_A_SECOND)));
}

/** A dead event is applied, or its attempts are counted up. One that was ignored stays as it is where it is ignored again. */
function mustChange({ outcome }: SizedEvent, delivery: Delivery): boolean {
  if (outcome === 'dead') return true;
  return outcome === 'ignored' && normalise(delivery).outcome !== 'ignored';
}

function sentEvent(event: SizedEvent, delivery: Delivery, isRevisited: boolean): SentEvent {
  const { id, outcome, error } = event;
  const mayHaveLetter = outcome === 'dead' || (isRevisited && outcome === 'applied');
  return { id, outcome, attempts: error?.attempts ?? 0, mustChange: mustChange(event, delivery), mayHaveLetter };
}

function positionOf(events: readonly SizedEvent[]): EventPosition {
  const { receivedAt, id } = events.at(-1) ?? { receivedAt: 0, id: '' };
  return { receivedAt, id };
}
