import { SpoolError } from '@landline/recordings';
import type { EventState, KnownCall } from '@landline/store';
import { fetchedJobId } from './accept-fetched.ts';
import { answerOutcome, endOf } from './call-facts.ts';
import type { ComparedCall } from './compare.ts';
import type { FetchOptions, FetchOutcome, Fetching } from './fetching.ts';
import type { HandedEvent } from './places.ts';
import { settleEvents } from './settle-events.ts';
import { GRACE_MS, isAudioMissing } from './judge-call.ts';
import type { AudioSink } from './reconcile-ports.ts';
import { twoAtOnce } from './two-at-once.ts';

/** A call whose audio is asked for. */
interface AudioToFetch {
  call: ComparedCall;
  known: KnownCall;
}

/** How long audio that an account tells of may be late, in ms, once the call is missed. Until then a 404 is no word for good. */
const LATE_MS = 3_600_000;

/**
 * Fetches the audio of calls whose accounts are here now, and waits for it. Returns what ended it early.
 *
 * @param early  What ended the fetching of accounts early: then no audio is asked for, and the calls without it are noted.
 */
export async function fetchAudio(
  calls: readonly ComparedCall[],
  options: FetchOptions,
  early?: { error: unknown },
): Promise<{ error: unknown } | undefined> {
  const { fetching, outcomes } = options;
  const { context, ports } = fetching;
  const { audio } = ports;
  const wanted = audio === undefined ? [] : await withoutAudio(calls, options);
  if (audio === undefined || wanted.length === 0) return early;
  // Until its audio is here it is not complete.
  for (const { call } of wanted) {
    note(call, { verdict: 'without_recording' }, options);
    options.unasked.add(call.id);
  }
  if (early !== undefined) return early;
  const handed: HandedEvent[] = [];
  const before = new Map<string, EventState>();
  const sink: Pick<AudioSink, 'take'> = {
    take: (call, pieces) =>
      audio.take(call, pieces, async (id) => {
        const states = await context.retry(() => ports.ledger.states([id]));
        for (const [known, state] of states) before.set(known, state);
      }),
  };
  const failure = await twoAtOnce(wanted, async (one) => {
    const eventId = await takeAudio(one, sink, options);
    if (eventId !== undefined) handed.push({ conversationId: one.call.id, eventId, jobId: fetchedJobId(eventId) });
  });
  context.signal.throwIfAborted();
  const applied = await settleEvents(handed, { ...options, before });
  for (const id of applied) outcomes.set(id, { verdict: 'complete', isFetched: true });
  return failure;
}

/** Returns the calls whose audio is expected and not here, as the tables know them now. The others are complete: something may have come meanwhile. */
async function withoutAudio(calls: readonly ComparedCall[], options: FetchOptions): Promise<AudioToFetch[]> {
  const { fetching, outcomes } = options;
  const { store, rules, isAgain } = fetching;
  const withAccount = calls.filter(({ id, verdict }) => {
    const outcome = outcomes.get(id);
    return outcome === undefined ? verdict === 'without_recording' : outcome.verdict === 'complete';
  });
  const all = await store.known(withAccount.map(({ id }) => id));
  return withAccount.flatMap((call) => {
    const known = all.get(call.id);
    if (known === undefined) return [];
    const asked: KnownCall = isAgain ? { ...known, completeness: null } : known;
    const isMissing = !known.isErased && isAudioMissing(asked, call.startedAt, rules);
    if (!isMissing) note(call, { verdict: known.isErased ? 'erased' : 'complete' }, options);
    return isMissing ? [{ call, known }] : [];
  });
}

/** Takes audio into the spool. Returns the id of its event; undefined where there is none to wait for. */
async function takeAudio(
  { call, known }: AudioToFetch,
  sink: AudioSink,
  options: FetchOptions,
): Promise<string | undefined> {
  const { fetching } = options;
  const { questions, ports, context } = fetching;
  if (fetching.spoolFault !== undefined) {
    note(call, { verdict: 'without_recording', reason: fetching.spoolFault.message }, options);
    return undefined;
  }
  const account = options.accounts.get(call.id);
  const fetched = {
    conversationId: call.id,
    agentId: account?.agentId ?? call.listed?.agentId ?? null,
    endedAt: account?.endedAt ?? endOf({ ...call, known, startedAt: known.startedAt }, undefined),
  };
  try {
    const answer = await questions.audio.about(call.id, () => {
      options.unasked.delete(call.id);
      return ports.provider.audio(call.id, (pieces) => sink.take(fetched, pieces), context.signal);
    });
    if (answer.ok) return answer.value;
    // The account does not say that there is audio, and now it is known that there is none.
    if (answer.code === 'absent' && known.saysAudio === null) note(call, { verdict: 'complete' }, options);
    else if (answer.code === 'absent' && fetching.rules.now < fetched.endedAt + GRACE_MS + LATE_MS) {
      note(call, { verdict: 'without_recording', reason: `audio: ${answer.reason}` }, options);
    } else note(call, { verdict: answerOutcome(answer).verdict, reason: `audio: ${answer.reason}` }, options);
  } catch (error) {
    if (!(error instanceof SpoolError)) throw error;
    noteSpoolFault(fetching, error);
    note(call, { verdict: 'without_recording', reason: error.message }, options);
  }
  return undefined;
}

/** Accounts go on, and no more audio is asked for. */
function noteSpoolFault(fetching: Fetching, error: SpoolError): void {
  fetching.spoolFault ??= error;
}

function note({ id }: ComparedCall, found: Omit<FetchOutcome, 'isFetched'>, { outcomes }: FetchOptions): void {
  outcomes.set(id, { ...found, isFetched: outcomes.get(id)?.isFetched ?? false });
}
