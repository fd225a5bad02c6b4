import { chunksOf, type EventPosition, type Person } from '@landline/store';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import type { OperationContext } from '../operation-kind.ts';
import { pause } from '../retry-while-away.ts';
import type { ErasureCounts } from './counts.ts';
import type { ErasePorts, HeldEvent } from './erase-ports.ts';
import type { NamesPerson } from './names-person.ts';

/** Events of the ledger that are listed at once, and bytes of bodies that are read at once. */
const PAGE = 500;
const MOST = { events: 100, bytes: 4 * 1024 * 1024 };

/** Refused requests that are read at once; each has 256 KiB at most. */
const REJECTED_PAGE = 32;

/** How long to wait for jobs that a worker has in hand, in ms. */
export const IN_HAND_MS = 500;

/** Everything that looking for a person takes. */
export interface Search {
  context: OperationContext;
  ports: ErasePorts;
  person: Person;
  names: NamesPerson;
  /** Forgets conversations, and counts them. */
  forgetCalls: (ids: readonly string[]) => Promise<void>;
  /** Counts what is not forgotten in Postgres. */
  count: (more: ErasureCounts) => Promise<void>;
}

/** Forgets the events of the ledger that could not be applied, and name the person: those of a call with the call, others by themselves. */
export async function forgetUnapplied(search: Search): Promise<void> {
  // oxlint-disable no-await-in-loop -- page after page
  for (const outcome of ['dead', 'ignored'] as const) {
    let after: EventPosition | undefined;
    for (let isMore = true; isMore;) {
      const page = await search.context.retry(() =>
        search.ports.store.ledger.page({ outcome }, { order: 'oldest', after, limit: PAGE }),
      );
      for (const chunk of chunksOf(
        page.filter(({ storedBytes }) => storedBytes !== null),
        MOST,
      )) {
        await forgetNamed(chunk, search);
      }
      after = page.at(-1);
      isMore = page.length === PAGE;
    }
  }
  // oxlint-enable no-await-in-loop
}

async function forgetNamed(
  events: readonly { id: string; conversationId: string | null }[],
  { context, ports: { store }, names, forgetCalls }: Search,
): Promise<void> {
  const bodies = await context.retry(() => store.ledger.bodies(events.map(({ id }) => id)));
  const named = new Set(bodies.flatMap(({ id, body }) => (body !== undefined && names(Buffer.from(body)) ? [id] : [])));
  const found = events.filter(({ id }) => named.has(id));
  await forgetCalls([...new Set(found.flatMap(({ conversationId }) => conversationId ?? []))]);
  const alone = found.flatMap(({ id, conversationId }) => (conversationId === null ? [id] : []));
  await context.retry(() => store.erasing.forgetEvents(context.operation.id, alone));
}

/** Deletes the refused requests that name the person, or an erased call. */
export async function forgetRefused({ context, ports: { store }, names }: Search): Promise<void> {
  // oxlint-disable no-await-in-loop -- page after page
  let after: EventPosition | undefined;
  for (let isMore = true; isMore;) {
    const page = await context.retry(() => store.rejectedPage({}, { after, limit: REJECTED_PAGE }));
    const held = page.map(({ body, receivedAt }) => ({
      body: Buffer.from(body ?? []),
      receivedAt,
      delivery: undefined,
    }));
    const calls = held.map(callOf);
    const erased = await context.retry(() => store.erasing.erasedAmong(calls.flatMap((call) => call ?? [])));
    const going = page.filter((_, i) => erased.has(calls[i] ?? '') || names(held[i]?.body ?? Buffer.alloc(0)));
    const ids = going.map(({ id }) => id);
    await context.retry(() => store.erasing.forgetRejected(context.operation.id, ids));
    after = page.at(-1);
    isMore = page.length === REJECTED_PAGE;
  }
  // oxlint-enable no-await-in-loop
}

/** Takes out of Redis what names the person, or an erased call. What a worker has in hand is waited for: it may come to rest. */
export async function forgetInRedis(search: Search): Promise<void> {
  const { context, ports, count } = search;
  // oxlint-disable no-await-in-loop -- until nothing is in hand
  for (;;) {
    const { waiting, resting, dead_letters, rejected, in_hand } = await context.retry(() =>
      ports.forgetJobs((events) => decide(events, search), context.signal),
    );
    await count({ redis_waiting: waiting, redis_resting: resting, dead_letters, rejected_requests: rejected });
    if (in_hand === 0) return;
    await pause(IN_HAND_MS, context.signal);
  }
  // oxlint-enable no-await-in-loop
}

/**
 * Tells which events go. A call of which nothing was applied yet is known by its events alone, so it gets its mark here. A request that was refused marks no
 * call: anybody can send one.
 */
async function decide(
  events: readonly HeldEvent[],
  { context, ports, names, forgetCalls }: Search,
): Promise<boolean[]> {
  const calls = events.map(callOf);
  const known = [...new Set(calls.flatMap((call) => call ?? []))];
  const erased = await ports.store.erasing.erasedAmong(known);
  const isNamed = events.map((event, i) => !erased.has(calls[i] ?? '') && isOld(event, context) && names(event.body));
  const found = events.flatMap(({ delivery }, i) => (isNamed[i] && delivery !== undefined ? (calls[i] ?? []) : []));
  await forgetCalls([...new Set(found)]);
  return events.map((_, i) => erased.has(calls[i] ?? '') || isNamed[i] === true);
}

/** Whether an event came before somebody asked for the erasure: a later call of the same person is a new call. */
function isOld({ receivedAt, delivery }: HeldEvent, { operation }: OperationContext): boolean {
  // What was fetched since has the time of its call's end.
  const at = delivery?.origin === 'backfill' ? Math.min(receivedAt, delivery.signedAt * 1000) : receivedAt;
  return at <= operation.createdAt;
}

/** Returns the conversation that an event names. */
function callOf({ delivery, body, receivedAt }: HeldEvent): string | undefined {
  const event = delivery ?? deliveryOf(body, { receivedAt, signedAt: receivedAt / 1000, secretId: '' });
  return normalise(event).entry.conversationId ?? undefined;
}
