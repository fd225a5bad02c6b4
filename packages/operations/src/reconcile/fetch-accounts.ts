import { createHash } from 'node:crypto';
import type { FetchedConversation } from '@landline/provider';
import type { EventState, ListedCall } from '@landline/store';
import { MOST_IN_JOB } from '../job-adder.ts';
import { UnfetchableError } from '../errors.ts';
import { accountEvent, type AccountEvent } from './account-event.ts';
import { answerOutcome, endOf, saidOf } from './call-facts.ts';
import type { ComparedCall } from './compare.ts';
import type { AccountFacts, FetchOptions, FetchOutcome, Fetching } from './fetching.ts';
import type { HandedEvent } from './places.ts';
import { settleEvents } from './settle-events.ts';
import { gather } from './gather.ts';
import { isRunning, isTooOld } from './judge-call.ts';
import { RECONCILE } from './reconcile-words.ts';
import { twoAtOnce } from './two-at-once.ts';

/** What nobody can say must not be brought back. Erasures do not become fewer, so it is asked for again once a day alone, where it is listed. */
const UNCOMPARED: FetchOutcome = {
  verdict: 'unfetchable',
  reason: 'more persons were erased since it began than can be compared with its own',
  isFetched: false,
};

/** A call's event that goes into a job. */
interface Gathered {
  conversationId: string;
  event: AccountEvent;
}

/** Fetches accounts, enqueues them, and waits for those that could be enqueued. Returns what ended it early. */
export async function fetchAccounts(
  calls: readonly ComparedCall[],
  options: FetchOptions,
): Promise<{ error: unknown } | undefined> {
  const { fetching } = options;
  const { context, ports } = fetching;
  const handed: HandedEvent[] = [];
  const before = new Map<string, EventState>();

  async function enqueue(events: Gathered[]): Promise<void> {
    const states = await context.retry(() => ports.ledger.states(events.map(({ event }) => event.id)));
    for (const [id, state] of states) before.set(id, state);
    const jobId = await addJob(events, fetching);
    // What was not added waits nowhere.
    handed.push(...events.map(({ conversationId, event }) => ({ conversationId, eventId: event.id, jobId })));
  }

  const gathering = gather(enqueue, { weigh: ({ event }) => event.bytes, mostWeight: MOST_IN_JOB.bytes });
  const failure = await twoAtOnce(calls, async (call) => {
    const event = await fetchAccount(call, options);
    if (event !== undefined) await gathering.add({ conversationId: call.id, event });
  });
  const fault = await gathering.flush().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  context.signal.throwIfAborted();
  const applied = await settleEvents(handed, { ...options, before });
  for (const { conversationId: id } of handed) {
    // oxlint-disable-next-line no-await-in-loop -- one hash takes 32 MiB
    if (applied.has(id) || options.outcomes.get(id)?.verdict === 'unfetchable') await judgeHanded(id, applied, options);
  }
  return failure ?? fault;
}

/**
 * Somebody may have been erased while the account was on its way, and the erasure did not find it. Whoever applies it sees to that; it is forgotten here where
 * the event is dead, or a worker of an older version has applied it.
 */
async function judgeHanded(
  id: string,
  applied: ReadonlySet<string>,
  { fetching, outcomes, accounts }: FetchOptions,
): Promise<void> {
  const account = accounts.get(id);
  const isErased = account !== undefined && (await wasErased(account, fetching)) === true;
  if (isErased) {
    await markErased(id, [], fetching);
    outcomes.set(id, { verdict: 'erased', isFetched: false });
  } else if (applied.has(id)) outcomes.set(id, { verdict: 'complete', isFetched: true });
}

/** The letters of its dead events go after it. Where the worker dies in between, retention finds them: their events are dead no longer. */
async function markErased(id: string, said: readonly ListedCall[], { store, context, ports }: Fetching): Promise<void> {
  const letters = await store.markErased([id], said);
  if (letters.length > 0) await context.retry(() => ports.letters.remove(letters));
}

/** The id of a job, which it returns, is that of its events: the worker that takes over does not add it twice. */
async function addJob(events: readonly Gathered[], { context, add }: Fetching): Promise<string> {
  const digest = createHash('sha256').update(events.map(({ event }) => event.id).join());
  const id = `${RECONCILE}-${context.operation.id}-${digest.digest('hex').slice(0, 16)}`;
  await add(
    id,
    events.map(({ event }) => event.delivery),
  );
  return id;
}

/** Fetches an account, unless it came with the comparison. Returns its event; undefined where the call's outcome is known without. */
async function fetchAccount(
  call: ComparedCall,
  { fetching, outcomes, accounts, unasked }: FetchOptions,
): Promise<AccountEvent | undefined> {
  const { ports, context, questions } = fetching;
  const { account: given } = call;
  const read = async () => {
    unasked.delete(call.id);
    const account = given ?? (await ports.provider.conversation(call.id, context.signal));
    if (account.id !== call.id) throw new UnfetchableError('ElevenLabs gives the account of another call');
    return { account, event: accountEvent(account, endOf(call, account)) };
  };
  const answer = await questions.accounts.about(call.id, read, given !== undefined);
  if (!answer.ok) {
    outcomes.set(call.id, answerOutcome(answer));
    return undefined;
  }
  const { account, event } = answer.value;
  if (isRunning(account.status)) {
    outcomes.set(call.id, { verdict: 'open', isFetched: false });
    return undefined;
  }
  if (isTooOld(account.startedAt ?? call.startedAt, fetching.rules)) {
    outcomes.set(call.id, { verdict: 'too_old', isFetched: false });
    return undefined;
  }
  const facts = factsOf(account, call);
  const isErased = await wasErased(facts, fetching);
  if (isErased !== false) {
    // Nothing of it is kept but the mark.
    if (isErased === true) await markErased(call.id, [saidOf(call, account)], fetching);
    outcomes.set(call.id, isErased === true ? { verdict: 'erased', isFetched: false } : UNCOMPARED);
    return undefined;
  }
  accounts.set(call.id, facts);
  return event;
}

/** What is kept in mind of an account, without its bytes. */
function factsOf(account: FetchedConversation, call: ComparedCall): AccountFacts {
  const { agentId, userId, externalNumber, startedAt } = account;
  const start = startedAt ?? (call.listed?.isStartKnown === true ? call.listed.startedAt : null);
  // A start that is still to come says no more than none.
  const erasedSince = start === null || start > Date.now() ? 0 : start;
  return { agentId, userId, externalNumber, endedAt: endOf(call, account), erasedSince };
}

/** Tells whether a person of this call was erased since it began; undefined where nobody can say. */
async function wasErased(
  { userId, externalNumber: number, erasedSince }: AccountFacts,
  { store }: Fetching,
): Promise<boolean | undefined> {
  if (userId === null && number === null) return false;
  return store.wasErasedSince({ userId, number }, erasedSince);
}
