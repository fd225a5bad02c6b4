import { ProviderError, type ListedConversation, type ListWindow, type Provider } from '@landline/provider';
import { counted } from '../counted.ts';
import type { ReconcileWindow } from './window.ts';

/** How much more is listed than a slice on both sides, in ms: whether the provider counts its bounds in is not known. */
const OVERLAP_MS = 60_000;

/**
 * Lists the calls of windows that follow one another, page after page. A call at the border of two comes once.
 *
 * @throws  ProviderError, also `bad_answer` at the end where items were left out and none at all could be read: the list has another shape then. The signal's reason.
 */
export async function* listSlices(
  slices: readonly ReconcileWindow[],
  provider: Pick<Provider, 'conversations'>,
  { signal, onUnreadable }: { signal: AbortSignal; onUnreadable?: ListWindow['onUnreadable'] },
): AsyncGenerator<ListedConversation[]> {
  let before = new Set<string>();
  let leftOut = 0;
  let isRead = false;
  const countLeftOut = (count: number) => {
    leftOut += count;
    onUnreadable?.(count);
  };
  for (const { from, to } of slices) {
    const atBorder = new Set<string>();
    const window = { from: from - OVERLAP_MS, to: to + OVERLAP_MS, onUnreadable: countLeftOut };
    // oxlint-disable-next-line no-await-in-loop -- slice after slice
    for await (const page of provider.conversations(window, signal)) {
      isRead ||= page.length > 0;
      for (const { id, startedAt } of page) if (startedAt >= to - 2 * OVERLAP_MS) atBorder.add(id);
      const fresh = page.filter(({ id }) => !before.has(id));
      if (fresh.length > 0) yield fresh;
    }
    before = atBorder;
  }
  if (leftOut > 0 && !isRead) throw unreadable(leftOut);
}

function unreadable(items: number): ProviderError {
  return new ProviderError(
    'bad_answer',
    `ElevenLabs' list of conversations has ${counted(items, 'item')}, and none can be read. Check ELEVENLABS_API_URL and the proxy. Where these are right, the list has changed: tell us.`,
  );
}
