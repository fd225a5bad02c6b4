import { Gauge, type Registry } from 'prom-client';

/**
 * Adds `landline_canary_age_seconds`, which is absent while no canary has come through.
 *
 * @param mark  Tells when the newest one that made the whole way was sent, in unix milliseconds; asked at each scrape.
 */
export function canaryAge(registry: Registry, mark: { newest(): Promise<number | undefined> }): void {
  // oxlint-disable-next-line no-new -- it lives in the registry
  new Gauge({
    name: 'landline_canary_age_seconds',
    help: 'Seconds since the newest canary that made the whole way, from the webhook path to the ledger, was sent.',
    registers: [registry],
    async collect() {
      const sentAt = await mark.newest();
      // A clock may be ahead of ours.
      if (sentAt === undefined) this.remove();
      else this.set(Math.max(0, Date.now() - sentAt) / 1000);
    },
  });
}
