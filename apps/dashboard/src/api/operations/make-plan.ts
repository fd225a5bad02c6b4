import {
  ERASE,
  explainConversationRefusal,
  FETCH_CONVERSATION,
  READMIT,
  readmitWords,
  REBUILD_CONVERSATION,
  RECONCILE,
  REPLAY,
} from '@landline/operations';
import {
  filterWords,
  refusalOf,
  type ErasurePlan,
  type Lookups,
  type RejectedCause,
  type Subject,
} from '@landline/store';
import { isHopeless } from '@landline/webhook/causes';
import type { Plan } from '../contract/operations.ts';
import { ApiFault, missing } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { iso } from '../shown-time.ts';
import { countBack, type CountedBack } from './count-back.ts';
import { fetchPlan, reconcilePlan } from './provider-plans.ts';
import type { Wanted } from './wanted.ts';

/** What plans are made with. */
export type PlanPorts = Pick<ApiPorts, 'lookups' | 'rebuilds' | 'planMs'>;

/**
 * Says what an operation would do, and changes nothing.
 *
 * @param signal  Says that the time is over: of a replay, what was counted until then is told.
 * @throws        ApiFault where there is nothing to rebuild; StoreError
 */
export async function makePlan(wanted: Wanted, ports: PlanPorts, signal: AbortSignal): Promise<Plan> {
  const lookups = lookupsOf(ports);
  switch (wanted.kind) {
    case REPLAY: {
      return replayPlan(await countBack(lookups.ledger, wanted.filter, signal), filterWords(wanted.filter));
    }
    case READMIT:
      return readmitPlan(await lookups.rejected.causes(wanted.filter), readmitWords(wanted.filter));
    case ERASE:
      return erasePlan(await lookups.erasurePlan(wanted.subject), wanted.subject);
    case REBUILD_CONVERSATION:
      return rebuildPlan(wanted.conversation, lookups, ports.rebuilds);
    case RECONCILE:
      return reconcilePlan(wanted, lookups);
    case FETCH_CONVERSATION:
      return fetchPlan(wanted.conversation, lookups);
  }
}

function replayPlan({ total, byType, byOutcome, backTo }: CountedBack, filter: Record<string, string>): Plan {
  const counted = [...byOutcome].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const parts = [
    { name: 'by outcome', counts: Object.fromEntries(byOutcome) },
    { name: 'by type', counts: Object.fromEntries(byType) },
  ];
  const plan = { kind: REPLAY, total, is_whole: backTo === undefined, parts, filter };
  if (backTo !== undefined) {
    const found =
      total === 0 ? 'No event that matches was found' : `At least ${many(total, 'event')} (${counted}) match`;
    const text = `${found}, counted back to ${iso(backTo)}: then the time was over. All that match would go through the worker again, older ones as well. What is applied already changes nothing.`;
    return { ...plan, text };
  }
  const text =
    total === 0
      ? 'No event matches: nothing would be replayed.'
      : `${many(total, 'event')} would go through the worker again (${counted}). What is applied already changes nothing.`;
  return { ...plan, text };
}

function readmitPlan(causes: readonly RejectedCause[], filter: Record<string, string>): Plan {
  const left = causes.filter(({ cause }) => !isHopeless(cause));
  const total = sum(left.map(({ count, readmitted }) => count - readmitted));
  const before = sum(left.map(({ readmitted }) => readmitted));
  const hopeless = sum(causes.map(({ count }) => count)) - total - before;
  const sentences = [
    total === 0
      ? 'No refused request waits for this: nothing would be readmitted.'
      : `${many(total, 'refused request')} would be verified anew with the secrets that the workers have now; those whose signature is good become events.`,
    ...(before > 0 ? [`${many(before, 'request')} ${before === 1 ? 'was' : 'were'} readmitted before.`] : []),
    ...(hopeless > 0
      ? [
          `${many(hopeless, 'request')} can never be readmitted: no secret makes ${hopeless === 1 ? 'it' : 'them'} good.`,
        ]
      : []),
  ];
  const parts = [
    {
      name: 'by cause',
      counts: Object.fromEntries(
        left.flatMap(({ cause, count, readmitted }) => (count > readmitted ? [[cause, count - readmitted]] : [])),
      ),
    },
  ];
  return { kind: READMIT, total, is_whole: true, text: sentences.join(' '), parts, filter };
}

const SUBJECTS = { conversation: 'conversation', user: 'user', number: 'call from' } as const;

function erasePlan(plan: ErasurePlan, { by, value }: Subject): Plan {
  const { conversations: total, users, erased_before: before, ...places } = plan;
  const filter = { by, value };
  const parts = [{ name: 'what is forgotten', counts: { conversations: total, ...places } }];
  if (total + before + places.profiles === 0) {
    const text = `There is no ${SUBJECTS[by]} ${value}: nothing of it would be forgotten.`;
    return { kind: ERASE, total, is_whole: true, text, parts, filter };
  }
  const sentences = [
    `${many(total, 'conversation')} with ${many(places.messages, 'message')} and ${many(places.recordings, 'recording')}, the bodies of ${many(places.events, 'event')} and ${many(places.profiles, 'profile')} would be forgotten everywhere. Nobody can take that back.`,
    ...(before > 0 ? [`${many(before, 'conversation')} ${before === 1 ? 'was' : 'were'} erased before.`] : []),
    ...(by === 'number' && users > 1
      ? [`${users} users have called from this number: all of them are forgotten.`]
      : []),
  ];
  return { kind: ERASE, total, is_whole: true, text: sentences.join(' '), parts, filter };
}

async function rebuildPlan(conversation: string, lookups: Lookups, rebuilds: PlanPorts['rebuilds']): Promise<Plan> {
  const [row, found] = await Promise.all([lookups.conversations.get(conversation), rebuilds?.plan(conversation)]);
  if (found === undefined || (row === undefined && found.events === 0)) {
    throw missing('conversation_missing', `There is no conversation ${conversation}.`);
  }
  const refusal = refusalOf(found);
  if (refusal !== undefined) {
    throw new ApiFault(409, { code: 'not_rebuildable', message: explainConversationRefusal(refusal) });
  }
  const text = `The rows of this conversation would be made anew from its ${many(found.events, 'applied event')}.`;
  const parts = [{ name: 'what they are made of', counts: { events: found.events } }];
  return { kind: REBUILD_CONVERSATION, total: found.events, is_whole: true, text, parts, filter: { conversation } };
}

function many(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
