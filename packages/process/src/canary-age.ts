import { Gauge, type Registry } from 'prom-client';

/**
 * Adds `landline_canary_age_seconds`, which is absent while nothing is known of any canary.
 *
 * @param mark     Tells when the newest one that made the whole way was sent, in unix milliseconds; asked at each scrape.
 * @param sentFrom When this process began to send some, in unix milliseconds: until one has come through the age counts from then.
 */
export function canaryAge(
  registry: Registry,
  mark: { newest(): Promise<number | undefined> },
  sentFrom?: number,
): void {
  // oxlint-disable-next-line no-new -- it lives in the registry
  new Gauge({
    name: 'landline_canary_age_seconds',
    help: 'Seconds since the newest canary that made the whole way, from the webhook path to the ledger, was sent.',
    registers: [registry],
    async collect() {
      const sentAt = (await mark.newest()) ?? sentFrom;
      // A clock may be ahead of ours.
      if (sentAt === undefined) this.remove();
      else this.set(Math.max(0, Date.now() - sentAt) / 1000);
    },
  });
}
