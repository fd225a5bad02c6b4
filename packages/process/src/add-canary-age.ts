import { Gauge, type Registry } from 'prom-client';

/** How long an answer of Redis is good for, in ms: however many ask for metrics, Redis is asked once a second. */
const KEPT_MS = 1000;

/** What the age is told from beside the mark. */
export interface CanaryAgeOptions {
  /** When this process began to send canaries, in unix milliseconds: until one has come through the age counts from then. */
  sentFrom?: number;
  keptMs?: number;
}

/**
 * Adds `landline_canary_age_seconds`, which is absent while nothing is known of any canary.
 *
 * @param mark  Tells when the newest one that made the whole way was sent, in unix milliseconds; asked at a scrape, not for each.
 */
export function canaryAge(
  registry: Registry,
  mark: { newest(): Promise<number | undefined> },
  { sentFrom, keptMs = KEPT_MS }: CanaryAgeOptions = {},
): void {
  let askedAt = -Infinity;
  let asked: Promise<number | undefined> = Promise.resolve(undefined);
  // oxlint-disable-next-line no-new -- it lives in the registry
  new Gauge({
    name: 'landline_canary_age_seconds',
    help: 'Seconds since the newest canary that made the whole way, from the webhook path to the ledger, was sent.',
    registers: [registry],
    async collect() {
      if (performance.now() - askedAt >= keptMs) {
        askedAt = performance.now();
        asked = mark.newest();
      }
      const sentAt = (await asked) ?? sentFrom;
      // A clock may be ahead of ours.
      if (sentAt === undefined) this.remove();
      else this.set(Math.max(0, Date.now() - sentAt) / 1000);
    },
  });
}
