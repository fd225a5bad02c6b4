import { createHash } from 'node:crypto';
import type { FetchedConversation } from '@landline/provider';
import type { EventState } from '@landline/store';
import { MOST_IN_JOB } from '../job-adder.ts';
import { UnfetchableError } from '../errors.ts';
import { accountEvent, type AccountEvent } from './account-event.ts';
import { answerOutcome, endOf } from './call-facts.ts';
import type { ComparedCall } from './compare.ts';
import type { AccountFacts, FetchOptions, FetchOutcome, Fetching, HandedEvent } from './fetching.ts';
import { settleEvents } from './settle-events.ts';
import { isRunning, isTooOld } from './judge-call.ts';
import { RECONCILE } from './reconcile-words.ts';
import { twoAtOnce } from './two-at-once.ts';

/** What nobody can say must not be brought back. */
const UNCOMPARED: FetchOutcome = {
  verdict: 'missing',
  reason: 'more persons were erased since it began than can be compared with its own',
  isFetched: false,
};

/** A call's event that goes into a job. */
interface Gathered extends HandedEvent {
  event: AccountEvent;
}

/** Fetches accounts, enqueues them, and waits for them. Returns what ended it early. */
export async function fetchAccounts(
  calls: readonly ComparedCall[],
  options: FetchOptions,
): Promise<{ error: unknown } | undefined> {
  const { fetching } = options;
  const { context, ports } = fetching;
  const handed: HandedEvent[] = [];
  const before = new Map<string, EventState>();
  let gathered: Gathered[] = [];

  async function enqueue(): Promise<void> {
    const events = gathered;
    gathered = [];
    if (events.length === 0) return;
    const states = await context.retry(() => ports.ledger.states(events.map(({ eventId }) => eventId)));
    for (const [id, state] of states) before.set(id, state);
    await addJob(events, fetching);
    // What was not added waits nowhere.
    handed.push(...events.map(({ conversationId, eventId }) => ({ conversationId, eventId })));
  }

  const failure = await twoAtOnce(calls, async (call) => {
    const event = await fetchAccount(call, options);
    if (event === undefined) return;
    gathered.push({ conversationId: call.id, eventId: event.id, event });
    if (gathered.reduce((sum, { event: { bytes } }) => sum + bytes, 0) >= MOST_IN_JOB.bytes) await enqueue();
  });
  context.signal.throwIfAborted();
  await enqueue();
  const applied = await settleEvents(handed, { ...options, before });
  // oxlint-disable-next-line no-await-in-loop -- one hash takes 32 MiB
  for (const id of applied) await judgeApplied(id, options);
  return failure;
}

/** Somebody may have been erased while the account was on its way: the erasure did not find it then, and it goes now. */
async function judgeApplied(id: string, { fetching, outcomes, accounts }: FetchOptions): Promise<void> {
  const account = accounts.get(id);
  const isErased = account !== undefined && (await wasErased(account, fetching)) === true;
  if (isErased) await fetching.store.markErased([id]);
  outcomes.set(id, { verdict: isErased ? 'erased' : 'complete', isFetched: !isErased });
}

/** The id of a job is that of its events: the worker that takes over does not add it twice. */
async function addJob(events: readonly Gathered[], { context, add }: Fetching): Promise<void> {
  const digest = createHash('sha256').update(events.map(({ eventId }) => eventId).join());
  const id = `${RECONCILE}-${context.operation.id}-${digest.digest('hex').slice(0, 16)}`;
  await add(
    id,
    events.map(({ event }) => event.delivery),
  );
}

/** Fetches an account, unless it came with the comparison. Returns its event; undefined where the call's outcome is known without. */
async function fetchAccount(
  call: ComparedCall,
  { fetching, outcomes, accounts }: FetchOptions,
): Promise<AccountEvent | undefined> {
  const { ports, context, questions } = fetching;
  const answer = await questions.about(call.id, async () => {
    const account = call.account ?? (await ports.provider.conversation(call.id, context.signal));
    if (account.id !== call.id) throw new UnfetchableError('the provider gives the account of another call');
    return { account, event: accountEvent(account, endOf(call, account)) };
  });
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
    if (isErased === true) await fetching.store.markErased([call.id]);
    outcomes.set(call.id, isErased === true ? { verdict: 'erased', isFetched: false } : UNCOMPARED);
    return undefined;
  }
  accounts.set(call.id, facts);
  return event;
}

/** What is kept in mind of an account, without its bytes. */
function factsOf(account: FetchedConversation, call: ComparedCall): AccountFacts {
  const { agentId, userId, externalNumber, durationSeconds, startedAt } = account;
  const erasedSince = startedAt ?? call.listed?.startedAt ?? call.known?.startedAt ?? 0;
  return { agentId, userId, externalNumber, durationSeconds, startedAt: startedAt ?? call.startedAt, erasedSince };
}

/** Tells whether a person of this call was erased since it began; undefined where nobody can say. */
async function wasErased(
  { userId, externalNumber: number, erasedSince }: AccountFacts,
  { store }: Fetching,
): Promise<boolean | undefined> {
  if (userId === null && number === null) return false;
  return store.wasErasedSince({ userId, number }, erasedSince);
}
