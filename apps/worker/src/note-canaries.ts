import type { CanaryMark } from '@landline/queue';
import type { Store } from '@landline/store';
import { isCanary } from '@landline/webhook/canary';

/**
 * Notes the newest canary of what was committed. No event waits for that, and none fails with it.
 *
 * @returns  `apply` with the contract of `Store.apply`.
 */
export function noteCanaries(store: Pick<Store, 'apply'>, mark: Pick<CanaryMark, 'note'>): Pick<Store, 'apply'> {
  return {
    async apply(events) {
      const outcomes = await store.apply(events);
      const canaries = events.filter(isCanary);
      if (canaries.length > 0) {
        const sentAt = Math.max(...canaries.map(({ entry }) => entry.eventAt));
        // One from the future would hide that those after it do not come through.
        void mark.note(Math.min(sentAt, Date.now()));
      }
      return outcomes;
    },
  };
}
