/** Whether a list follows what comes in; where it does not, what paused it. */
export type ListPace = 'follows' | 'paused by scrolling' | 'paused by hand';

/** Where a list was scrolled to. */
export interface Scrolled {
  /** Pixels above what is seen. */
  top: number;
  /** Whether an item is open or selected: then the list stays as it is. */
  isHeld: boolean;
}

/** What a scrolling makes of the pace: away from the top it pauses, back at the top only what scrolling has paused goes on. */
export function paceAfterScroll(pace: ListPace, { top, isHeld }: Scrolled): ListPace {
  if (top > 0) return pace === 'follows' ? 'paused by scrolling' : pace;
  return pace === 'paused by scrolling' && !isHeld ? 'follows' : pace;
}
