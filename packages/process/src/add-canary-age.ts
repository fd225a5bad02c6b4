import { Gauge, type Registry } from 'prom-client';

/**
 * How long an answer of Redis is reused, in ms. Redis is asked once a second at most, regardless of the number of
 * scrapes; a longer time makes the age older.
 */
const KEPT_MS = 1000;

/** The options of the gauge. */
export interface CanaryAgeOptions {
  /**
   * The time at which this process began to send canaries, in unix milliseconds. The age counts from it until a canary
   * has arrived.
   */
  sentFrom?: number;
  keptMs?: number;
}

/**
 * Adds the gauge `landline_canary_age_seconds`, which is absent while no canary is known.
 *
 * @param mark  Returns when the newest canary that arrived was sent, in unix milliseconds. It is called at a scrape, at
 *              most once in `keptMs`.
 */
export function addCanaryAge(
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
      // The sender's clock may be ahead of ours.
      if (sentAt === undefined) this.remove();
      else this.set(Math.max(0, Date.now() - sentAt) / 1000);
    },
  });
}
