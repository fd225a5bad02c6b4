import { useEffect } from 'preact/hooks';
import type { FailureGroupItem } from '../../src/api/contract/failures.ts';
import { useKeys } from '../keys/use-keys.ts';

interface GroupActions {
  onReplay: (group: FailureGroupItem) => void;
  onMark: (group: FailureGroupItem) => void;
}

/** The groups that are seen, in order. Those that are known may be folded. */
function groupElements(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('.failure')].filter((element) => element.checkVisibility());
}

/** Moves the focus to the next or the previous group. */
function move(by: 1 | -1): void {
  const all = groupElements();
  const at = all.findIndex((element) => element.contains(document.activeElement));
  const next = all[at < 0 ? (by === 1 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/** Brings the group that the address names into sight, once it is there. */
export function useShownGroup(fingerprint: string | undefined, isThere: boolean): void {
  useEffect(() => {
    if (fingerprint === undefined || !isThere) return;
    document.getElementById(`group-${fingerprint}`)?.scrollIntoView({ block: 'nearest' });
  }, [fingerprint, isThere]);
}

/** The keys of the list. They work on the group that has the focus. */
export function useGroupKeys(groups: readonly FailureGroupItem[], { onReplay, onMark }: GroupActions): void {
  function onFocused(run: (group: FailureGroupItem) => void): void {
    const element = groupElements().find((item) => item.contains(document.activeElement));
    const group = groups.find(({ fingerprint }) => element?.id === `group-${fingerprint}`);
    if (group) run(group);
  }
  useKeys({
    j: { does: 'Next group', run: () => move(1) },
    k: { does: 'Previous group', run: () => move(-1) },
    enter: {
      does: 'Open the events of the group',
      run: () => document.activeElement?.closest('.failure')?.querySelector<HTMLElement>('a.failure-events')?.click(),
    },
    r: { does: 'Replay the group', run: () => onFocused(onReplay) },
    m: { does: 'Mark the group as known, or take the mark back', run: () => onFocused(onMark) },
  });
}
