import type { ListedConversation, Provider } from '@landline/provider';

/** How long a call may run, in ms. An older one in the list is none that is spoken. */
const LONGEST_CALL_MS = 24 * 3_600_000;

/** How far the provider's clock may be ahead of ours, in ms. */
const AHEAD_MS = 3_600_000;

/** Lists the calls that run now by their ids, the oldest first. Throws as the provider does: half a list tells of no call that it is over. */
export async function findRunning(
  provider: Pick<Provider, 'conversations'>,
  now: number,
  signal: AbortSignal,
): Promise<Map<string, ListedConversation>> {
  const running = new Map<string, ListedConversation>();
  const window = {
    from: now - LONGEST_CALL_MS,
    to: now + AHEAD_MS,
    statuses: ['in-progress', 'initiated'],
  } as const;
  for await (const page of provider.conversations(window, signal)) {
    for (const call of page) running.set(call.id, call);
  }
  return running;
}
