import type { ReconcileStore } from '@landline/store';
import type { Look } from '../look.ts';
import type { Finding, ProviderCheck } from '../provider-check.ts';
import { shown } from '../shown.ts';

/** The provider's second and ours may differ by the clocks, and by how long the request took. */
const AROUND_MS = 5_000;

/** A failure is a fault for a day; after that it is history. */
const RECENT_MS = 86_400_000;

/** The most characters of advice that is shown. It is ours, and ends in the command to type, so the limit lies far above it: the row may be another version's. */
const ADVICE_CHARACTERS = 2_000;

/** The newest failure that the provider has seen at our webhook, with what we answered then. */
export interface ExplainedFailure {
  failure: NonNullable<ProviderCheck['lastFailure']>;
  finding: Finding;
}

type Refused = Awaited<ReturnType<ReconcileStore['refusedBetween']>>[number];

/** Explains the newest failure; undefined where the provider has seen none. A look-up that throws costs the explanation alone. */
export async function explainLastFailure(
  { ours = [] }: Look,
  { refusedBetween, now }: { refusedBetween: ReconcileStore['refusedBetween']; now: number },
): Promise<ExplainedFailure | undefined> {
  const failures = ours.flatMap(({ lastFailure }) => lastFailure ?? []);
  const newest = failures.sort((a, b) => b.at - a.at)[0];
  if (newest === undefined) return undefined;
  const { code, at } = newest;
  const refused = await refusedBetween(at - AROUND_MS, at + AROUND_MS).catch(() => undefined);
  const nearest = refused?.toSorted((a, b) => Math.abs(a.receivedAt - at) - Math.abs(b.receivedAt - at))[0];
  const answered = refused === undefined ? null : describeAnswer(nearest);
  const cause = answered === null ? 'What Landline answered could not be looked up' : answered;
  const status = code === null ? 'without an answer' : `with the code ${code}`;
  const finding: Finding = {
    code: 'last_failure',
    level: now - at < RECENT_MS ? 'fault' : 'note',
    what: `A delivery failed ${status} at ${new Date(at).toISOString()}. ${cause}.`,
    todo: nearest === undefined ? adviceOn(code) : shown(nearest.advice, ADVICE_CHARACTERS),
  };
  return { failure: { code, at, answered }, finding };
}

function describeAnswer(refused: Refused | undefined): string {
  if (refused === undefined) return 'Landline answered no 401 then';
  return `Landline answered 401 ${shown(refused.code, 40)} then, because of ${shown(refused.cause, 40)}`;
}

/** What a failure means that we have no record of, by the status that the provider read. */
function adviceOn(code: number | null): string {
  if (code === null) {
    return 'A timeout, or nothing that took the connection. See that proxy and receiver run, and that the certificate is valid.';
  }
  if (code >= 500) {
    return 'A 502 or 504 is the proxy’s: it did not reach the receiver. A 503 may be Landline’s: neither Redis nor the disk took the event. Read the logs of both at that time.';
  }
  return ADVICE[code] ?? 'Landline never answers that. Read the log of the proxy at that time.';
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'npm run landline -- rejected list shows what Landline has refused. Where it has nothing of that time, the proxy has refused it.',
  403: 'Landline never answers 403. Let the proxy or firewall pass the webhook’s path.',
  404: 'Let the proxy pass the path of the webhook, letter by letter, to the receiver.',
  405: 'Something turned the POST into another method, such as a redirect. Give ElevenLabs the final https address.',
  408: 'The body came too slowly. See REQUEST_TIMEOUT_MS and MIN_BYTES_PER_SECOND, and what is slow on the way.',
  413: 'The body was larger than BODY_LIMIT_BYTES, or than the proxy takes. Raise the limit that it met.',
  429: 'Landline never answers 429. Take the limit away that the proxy puts on the webhook’s path.',
};
