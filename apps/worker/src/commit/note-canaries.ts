import type { CanaryMark } from '@landline/queue';
import type { ApplicableEvent } from '@landline/store';
import { isCanary } from '@landline/webhook/canary';

/** Notes the newest canary of what was committed; resolves when Redis has it, or has failed to take it. */
export async function noteCanaries(events: readonly ApplicableEvent[], mark: Pick<CanaryMark, 'note'>): Promise<void> {
  const canaries = events.filter(isCanary);
  if (canaries.length === 0) return;
  const sentAt = Math.max(...canaries.map(({ entry }) => entry.eventAt));
  // One from the future would hide that those after it do not come through.
  await mark.note(Math.min(sentAt, Date.now()));
}
