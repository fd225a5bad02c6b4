import { setTimeout as delay } from 'node:timers/promises';
import { providerCheckSchema } from '@landline/operations';
import type { ReconcileStore } from '@landline/store';
import { Gauge, type Registry } from 'prom-client';

/** How long an answer stands, in milliseconds; ages grow meanwhile. */
const STANDS_MS = 15_000;

/** How long an answer is waited for, in milliseconds: the other metrics must not be lost. */
const ANSWER_LIMIT_MS = 1_000;

/** How long a look at the provider's side tells something, in milliseconds. There is one every five minutes. */
const LOOK_STANDS_MS = 1_800_000;

/** What the metrics are read from. */
export type MeasuredStore = Pick<ReconcileStore, 'counts' | 'lastGoodRun' | 'runAge' | 'readProviderCheck'>;

/** The values that all gauges show; undefined: no sample. */
interface Answer {
  missing?: number | undefined;
  unfetchable?: number | undefined;
  /** When the newest run ended well, by this process's own clock of `performance`. */
  endedAt?: number | undefined;
  isWebhookUp?: boolean | undefined;
  /** Unix seconds. */
  lastFailureAt?: number | undefined;
}

/** A gauge of these values: its name, its help, and how it is read. */
type Shown = readonly [name: string, help: string, read: (answer: Answer) => number | undefined];

const GAUGES: readonly Shown[] = [
  [
    'landline_conversations_missing',
    'Conversations of which something never came, and was not fetched yet.',
    ({ missing }) => missing,
  ],
  [
    'landline_conversations_unfetchable',
    'Conversations of which something never came, and cannot be fetched any more.',
    ({ unfetchable }) => unfetchable,
  ],
  [
    'landline_reconcile_age_seconds',
    'Seconds since the newest comparison with the provider ended well, or since the first was asked for.',
    ({ endedAt }) => (endedAt === undefined ? undefined : Math.max(0, performance.now() - endedAt) / 1000),
  ],
  [
    'landline_provider_webhook_up',
    'Whether our webhook at the provider would bring the transcripts of calls: 1 or 0.',
    ({ isWebhookUp }) => (isWebhookUp === undefined ? undefined : Number(isWebhookUp)),
  ],
  [
    'landline_provider_last_failure_timestamp_seconds',
    'When the provider last saw our webhook fail, in unix seconds.',
    ({ lastFailureAt }) => lastFailureAt,
  ],
];

/**
 * Adds what the tables say of completeness and of the provider's side: the same in all workers. All gauges share one answer. While Postgres does not
 * answer, the last one stands; before the first there are no samples. Before a comparison ended well nobody knows what is missing, so these have no sample either.
 */
export function addReconcileGauges(registry: Registry, store: MeasuredStore, standsMs = STANDS_MS): void {
  let askedAt = -Infinity;
  let asking: Promise<void> | undefined;
  let answer: Answer = {};

  async function ask(): Promise<void> {
    const asked = await askStore(store);
    answer = asked;
    askedAt = performance.now();
  }

  async function stand(): Promise<Answer> {
    if (performance.now() - askedAt >= standsMs) {
      asking ??= ask()
        .catch(() => undefined)
        .finally(() => (asking = undefined));
      await Promise.race([asking, delay(ANSWER_LIMIT_MS, undefined, { ref: false })]);
    }
    return answer;
  }

  for (const [name, help, read] of GAUGES) {
    // oxlint-disable-next-line no-new -- it lives in the registry
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const value = read(await stand());
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
}

async function askStore(store: MeasuredStore): Promise<Answer> {
  // One after the other: they take one connection.
  const counts = await store.counts();
  // Else a key that is refused from the start would look as if nothing were missing.
  const isKnown = (await store.lastGoodRun()) !== undefined;
  const { missing, unfetchable }: Answer = isKnown ? counts : {};
  const age = await store.runAge();
  const saved = await store.readProviderCheck();
  const endedAt = age === undefined ? undefined : performance.now() - age * 1000;
  // One of another version may have another shape.
  const read = providerCheckSchema.safeParse(saved?.check);
  const isOld = saved === undefined || Date.now() - saved.savedAt > LOOK_STANDS_MS;
  if (!read.success || isOld) return { missing, unfetchable, endedAt };
  const { isWebhookUp, lastFailure } = read.data;
  return {
    missing,
    unfetchable,
    endedAt,
    isWebhookUp: isWebhookUp ?? undefined,
    lastFailureAt: lastFailure === null ? undefined : lastFailure.at / 1000,
  };
}
