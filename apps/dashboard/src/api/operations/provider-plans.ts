import { FETCH_CONVERSATION, fetchConversationWords, RECONCILE, reconcileWords } from '@landline/operations';
import type { Lookups } from '@landline/store';
import type { Plan } from '../contract/operations.ts';
import { ApiFault } from '../faults.ts';
import { iso } from '../shown-time.ts';

/** What is said where no worker has ever asked ElevenLabs: without a key, none carries this out. */
const NO_KEY =
  'No worker has asked ElevenLabs for anything so far: set ELEVENLABS_API_KEY for the workers first, or none of them will do this.';

/** What a comparison with ElevenLabs would do. Nobody knows before how many calls ElevenLabs lists. */
export async function reconcilePlan(wanted: { since: number | undefined }, { reconcile }: Lookups): Promise<Plan> {
  const [{ missing: gone, waiting, open }, hasAsked] = await Promise.all([
    reconcile.counts(),
    hasAskedProvider(reconcile),
  ]);
  const span =
    wanted.since === undefined
      ? 'of the usual time (RECONCILE_WINDOW_HOURS of the workers, 72 hours unless it is set)'
      : `that began since ${iso(wanted.since)}`;
  const sentences = [
    `The calls ${span} would be compared with ElevenLabs’ list. What never came would be fetched; what is here stays as it is.`,
    ...unfinishedWords({ missing: gone, waiting, open }),
    ...(hasAsked ? [] : [NO_KEY]),
  ];
  return {
    kind: RECONCILE,
    total: gone + waiting + open,
    is_whole: false,
    text: sentences.join(' '),
    parts: [],
    filter: reconcileWords(wanted),
  };
}

/** Says which calls are compared beside those of the time, where there are any. */
function unfinishedWords(counts: Readonly<Record<'missing' | 'waiting' | 'open', number>>): string[] {
  const said = Object.entries(counts).filter(([, n]) => n > 0);
  if (said.length === 0) return [];
  const words = said.map(([word, n]) => `${n.toLocaleString('en')} ${word}`).join(', ');
  return [`Whenever they began, those that the last comparison left unfinished would be compared as well: ${words}.`];
}

/** What it would do to fetch a conversation again, or one of which nothing is here. @throws ApiFault where it was erased */
export async function fetchPlan(conversation: string, { conversations, reconcile }: Lookups): Promise<Plan> {
  const [row, hasAsked] = await Promise.all([conversations.get(conversation), hasAskedProvider(reconcile)]);
  refuseErased(row);
  const sentences = [
    ...(row === undefined ? ['Nothing of this conversation is here.'] : []),
    'ElevenLabs would be asked for the account of this call once more, and for its recording where one is kept and is not here.',
    'Both would go through the same intake as webhooks. Of two accounts of the same time, the one of the webhook counts.',
    ...(hasAsked ? [] : [NO_KEY]),
  ];
  return {
    kind: FETCH_CONVERSATION,
    total: 1,
    is_whole: true,
    text: sentences.join(' '),
    parts: [],
    filter: fetchConversationWords(conversation),
  };
}

/** @throws ApiFault `conversation_erased` */
export function refuseErased(row: { erasedAt: number | null } | undefined): void {
  if (row === undefined || row.erasedAt === null) return;
  const message = 'This conversation was erased: ElevenLabs is not asked for it any more.';
  throw new ApiFault(409, { code: 'conversation_erased', message });
}

/** Tells whether a worker with a key was ever there. */
async function hasAskedProvider(reconcile: Lookups['reconcile']): Promise<boolean> {
  const [check, runs] = await Promise.all([reconcile.check(), reconcile.runs(1)]);
  return check !== undefined || runs.length > 0;
}
