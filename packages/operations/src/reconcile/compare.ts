import type { FetchedConversation, ListedConversation, Provider } from '@landline/provider';
import type { KnownCall, ReconcileStore } from '@landline/store';
import type { Questions } from './ask-about-call.ts';
import { listSlices } from './list-slices.ts';
import { twoAtOnce } from './two-at-once.ts';
import { GRACE_MS, isRunning, isTooOld, judgeKnown, judgeListed, type Rules, type Verdict } from './judge-call.ts';
import type { ReconcileWindow } from './window.ts';

/** Conversations of ours that are not through and are read together. */
const UNFINISHED_PAGE = 1_000;

/** Of these, what is given on together at most: each account that was asked for is held, and may have 16 MiB. */
const MOST_HELD = { calls: 20, bytes: 16 * 1024 * 1024 };

/** What a comparison works with. It changes nothing. */
export interface CompareOptions {
  store: Pick<ReconcileStore, 'known' | 'unfinished' | 'neverCompared'>;
  provider: Pick<Provider, 'conversations' | 'conversation'>;
  /** About accounts. */
  questions: Questions;
  /** What the list is asked for, one after the other, the oldest first. */
  slices: readonly [ReconcileWindow, ...ReconcileWindow[]];
  /** Since when calls of ours are looked at that were never compared, in unix milliseconds: where the whole window begins, also where less is listed. */
  since: number;
  rules: Rules;
  signal: AbortSignal;
  /** Called with how many items of the list are left out, because they cannot be read. */
  onUnreadable?: ((count: number) => void) | undefined;
}

/** A call that was compared. */
export interface ComparedCall {
  id: string;
  verdict: Verdict;
  /** Unix milliseconds. */
  startedAt: number;
  /** As the list has it; undefined where the list does not have it. */
  listed?: ListedConversation | undefined;
  /** What the tables have of it; undefined: nothing. */
  known?: KnownCall | undefined;
  /** Its account, where that had to be asked for already. */
  account?: FetchedConversation | undefined;
  /** Why it is unfetchable, or could not be looked at. */
  reason?: string | undefined;
  /** Whether the provider was not asked for its account, because that is refused for all calls. */
  isUnasked?: boolean | undefined;
}

/**
 * Compares calls with the provider, page after page: first those that it lists, then those of ours that are not through and that it did not list. Of
 * all calls it holds the ids of those alone that are not through.
 *
 * Whoever writes what was found does so before taking the next page.
 *
 * @throws  ProviderError where the list is not given; StoreError; the signal's reason.
 */
export async function* compareWithProvider(options: CompareOptions): AsyncGenerator<ComparedCall[]> {
  const { provider, slices } = options;
  const unfinished = new Set<string>();
  for await (const page of listSlices(slices, provider, options)) {
    const calls = await comparePage(page, options);
    for (const { id, verdict } of calls) if (isUnfinished(verdict)) unfinished.add(id);
    yield calls;
  }
  yield* compareUnlisted(unfinished, options);
}

function isUnfinished(verdict: Verdict): boolean {
  return !['complete', 'unfetchable', 'erased', 'too_old'].includes(verdict);
}

async function comparePage(page: readonly ListedConversation[], { store, rules }: CompareOptions) {
  const all = await store.known(page.map(({ id }) => id));
  return page.map((item): ComparedCall => {
    const { id } = item;
    const known = all.get(id);
    // Where the list does not say it, the row has when the call was first seen: nothing that moves from run to run.
    const startedAt = item.isStartKnown ? item.startedAt : (known?.startedAt ?? rules.now);
    const listed = { ...item, startedAt };
    return { id, startedAt, listed, known, verdict: judgeListed(listed, known, rules) };
  });
}

async function* compareUnlisted(
  compared: ReadonlySet<string>,
  options: CompareOptions,
): AsyncGenerator<ComparedCall[]> {
  const { store, since } = options;
  const limit = UNFINISHED_PAGE;
  // Those that were never compared come last: a run judges them, and then the others would have them as well.
  const found = pagesOf((last) => store.unfinished({ since, after: last?.id, limit }));
  const never = pagesOf((last) => store.neverCompared({ since, after: last, limit }));
  for (const pages of [found, never]) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    for await (const page of pages) {
      yield* compareKnown(
        page.filter(({ id, isErased }) => !compared.has(id) && !isErased),
        options,
      );
    }
  }
}

/** Reads page after page, each by the last call of the one before. */
async function* pagesOf(read: (last: KnownCall | undefined) => Promise<KnownCall[]>): AsyncGenerator<KnownCall[]> {
  let page: KnownCall[] | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    page = await read(page?.at(-1));
    yield page;
  } while (page.length === UNFINISHED_PAGE);
}

/** Compares some of ours, two at once, and gives them on before their accounts fill the memory. */
async function* compareKnown(unlisted: readonly KnownCall[], options: CompareOptions): AsyncGenerator<ComparedCall[]> {
  let calls: ComparedCall[] = [];
  for (let at = 0; at < unlisted.length; at += 2) {
    // oxlint-disable-next-line no-await-in-loop -- two after two
    const failure = await twoAtOnce(unlisted.slice(at, at + 2), async (known) => {
      const call = await compareUnlistedCall(known, options);
      // What was unfetchable and still is, was judged and counted before.
      if (call.verdict !== 'unfetchable' || known.completeness !== 'unfetchable') calls.push(call);
    });
    const isLast = failure !== undefined || at + 2 >= unlisted.length;
    const bytes = calls.reduce((sum, { account }) => sum + (account?.bytes.length ?? 0), 0);
    if (calls.length > 0 && (isLast || calls.length >= MOST_HELD.calls || bytes >= MOST_HELD.bytes)) {
      yield calls;
      calls = [];
    }
    if (failure !== undefined) throw failure.error;
  }
}

async function compareUnlistedCall(known: KnownCall, options: CompareOptions): Promise<ComparedCall> {
  const { rules } = options;
  const { id, startedAt, endedAt } = known;
  const call = { id, startedAt, known };
  if (isTooOld(startedAt, rules)) return { ...call, verdict: 'too_old' };
  const verdict = isUncounted(known, options) ? 'missing' : judgeKnown(known, { startedAt }, rules);
  if (verdict === 'complete') return { ...call, verdict };
  if (rules.now < (endedAt ?? startedAt) + GRACE_MS) {
    return { ...call, verdict: endedAt === null ? 'open' : 'waiting' };
  }
  // What is missing is asked for by whoever fetches it.
  return verdict === 'missing' ? askForCall(call, options) : { ...call, verdict };
}

/**
 * Tells whether only the list can say that a call lacks turns, and it was not asked for: the call began before what is listed. Its account says it. One that was
 * found unfetchable is looked at by the first run of a day.
 */
function isUncounted({ mayLackTurns, completeness, startedAt }: KnownCall, { since, slices }: CompareOptions): boolean {
  return mayLackTurns && completeness !== 'unfetchable' && startedAt >= since && startedAt < slices[0].from;
}

async function askForCall(
  call: Pick<ComparedCall, 'id' | 'startedAt' | 'known'>,
  { provider, questions, rules, signal }: CompareOptions,
): Promise<ComparedCall> {
  const answer = await questions.about(call.id, () => provider.conversation(call.id, signal));
  if (!answer.ok) {
    const { code, reason } = answer;
    return { ...call, verdict: code === 'absent' ? 'unfetchable' : 'missing', reason, isUnasked: code === 'unasked' };
  }
  const account = answer.value;
  if (isRunning(account.status)) return { ...call, verdict: 'open' };
  const endedAt = (account.startedAt ?? call.startedAt) + (account.durationSeconds ?? 0) * 1000;
  return rules.now < endedAt + GRACE_MS ? { ...call, verdict: 'waiting' } : { ...call, verdict: 'missing', account };
}
