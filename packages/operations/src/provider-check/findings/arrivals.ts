import type { ReconcileStore } from '@landline/store';
import { relevantOf, type Look } from '../look.ts';
import type { Finding } from '../provider-check.ts';
import { shownNames } from '../shown.ts';
import { WEBHOOKS } from './dashboard.ts';

/** Which calls are looked at: those that began within the last day, in ms. */
const DAY_MS = 86_400_000;

/**
 * Calls younger than this do not count, in ms: what never came of them is fetched 45 minutes after their end, by the comparison after that. So of younger ones
 * those that the webhook brought would be in the majority, whatever was lost.
 */
const YOUNG_MS = 5_400_000;

/** The fewest calls that had to be fetched before that tells something. */
const LEAST_FETCHED = 3;

/** Where so many of the newest calls came by the webhook, it is well again, whatever was before. */
const WELL_AGAIN = 3;

type Arrivals = Awaited<ReturnType<ReconcileStore['arrivals']>>;

/** Asks how calls came; undefined where that could not be looked up. */
export function findArrivals(arrivals: ReconcileStore['arrivals'], now: number): Promise<Arrivals | undefined> {
  return arrivals(now - DAY_MS, now - YOUNG_MS).catch(() => undefined);
}

/**
 * Findings about how calls came: while everything is fetched, nothing is missing, and nobody sees that the webhook does not work.
 *
 * @param others  What else was found: a fault there is the cause of this one, or is to be mended first.
 */
export function arrivalFindings(arrivals: Arrivals | undefined, look: Look, others: readonly Finding[]): Finding[] {
  if (arrivals === undefined) return [UNSEEN];
  const fetched = arrivals.filter((each) => each === 'fetched').length;
  const isWellAgain = arrivals.slice(0, WELL_AGAIN).every((each) => each === 'webhook');
  if (isWellAgain || fetched < LEAST_FETCHED || fetched * 2 <= arrivals.length) return [];
  const hasCause = others.some(({ level }) => level === 'fault');
  const todo = hasCause ? 'Mend the other faults first.' : lookFor(look);
  return [
    {
      code: 'calls_fetched',
      level: 'fault',
      what: `Of the last ${arrivals.length} calls ElevenLabs’ webhook brought ${arrivals.length - fetched}; ${fetched} had to be fetched.`,
      todo: `${todo} Calls that ended before the first comparison do not count, nor those of the last hour and a half. The line goes when newer calls come by webhook.`,
    },
  ];
}

const UNSEEN: Finding = {
  code: 'arrivals_unseen',
  level: 'unseen',
  what: 'Whether calls come by webhook or have to be fetched could not be looked up: the database was not there.',
  todo: 'See that DATABASE_URL is right and Postgres runs, then look again.',
};

function lookFor(look: Look): string {
  const which = shownNames(relevantOf(look));
  return `See what npm run landline -- provider says of PUBLIC_URL, and npm run landline -- rejected list of what was refused here. ${WEBHOOKS} → ${which}: see its failures, and switch retries on.`;
}
