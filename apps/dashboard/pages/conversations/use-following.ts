import { useEffect, useRef } from 'preact/hooks';
import { useKeys } from '../keys/use-keys.ts';
import { lineId } from './line-id.ts';
import type { Player } from './use-player.ts';

/** Scrolls to the turn that is heard while one follows, and gives the chat its keys. */
export function useFollowing(player: Player): void {
  const { current, isFollowing, pause, follow, playOrPause } = player;
  useEffect(() => {
    if (current === null || !isFollowing) return;
    scrollToLine(current);
  }, [current, isFollowing]);
  const next = { does: 'Next turn', run: () => step(1, pause) };
  const previous = { does: 'Previous turn', run: () => step(-1, pause) };
  useKeys({
    j: next,
    k: previous,
    enter: { does: 'Play from the turn, or open the tool call', run: openLine },
    p: { does: 'Play or pause the recording', run: playOrPause },
    f: { does: 'Follow the recording again', run: follow },
  });
}

/** How near the end one must be to be taken along, in pixels. A new turn is some lines high itself. */
const NEAR_END = 240;

/** Takes those who read the end of a call that goes on along to what is said next. Others stay where they are. */
export function useLiveEnd(count: number, isLive: boolean): void {
  const before = useRef(count);
  useEffect(() => {
    const main = document.getElementById('main');
    const isMore = count > before.current;
    before.current = count;
    if (!isLive || !isMore || !main) return;
    if (main.scrollHeight - main.scrollTop - main.clientHeight < NEAR_END) main.scrollTop = main.scrollHeight;
  }, [count, isLive]);
}

/** Brings a line into the middle. A long way is not shown: only the end of it. */
export function scrollToLine(key: string): void {
  const line = document.getElementById(lineId(key));
  if (!line) return;
  const { top } = line.getBoundingClientRect();
  const isNear = Math.abs(top - innerHeight / 2) < innerHeight;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  line.scrollIntoView({ block: 'center', behavior: isNear && !isCalm ? 'smooth' : 'instant' });
}

/** Moves the focus to the next or the previous line of the chat. */
function step(by: 1 | -1, onMove: () => void): void {
  const lines = [...document.querySelectorAll<HTMLElement>('.chat > .line')];
  if (lines.length === 0) return;
  const at = lines.findIndex((line) => line.contains(document.activeElement));
  const heard = lines.findIndex((line) => line.ariaCurrent === 'true');
  const from = at >= 0 ? at : heard >= 0 ? heard : by === 1 ? -1 : lines.length;
  const line = lines[Math.min(lines.length - 1, Math.max(0, from + by))];
  if (!line) return;
  onMove();
  // The chat is left by Tab from the line that one has come to, not from its beginning.
  line.tabIndex = -1;
  line.focus({ preventScroll: true });
  line.scrollIntoView({ block: 'nearest' });
}

/** Does what a click in the line of the focus would: opens the tool call, or plays from the turn. */
function openLine(): void {
  const line = document.activeElement?.closest('.chat > .line');
  const opens = line?.querySelector<HTMLElement>('summary') ?? line?.querySelector<HTMLElement>('button.line-time');
  opens?.click();
  // What was opened below the edge comes into sight, once it is there.
  requestAnimationFrame(() => requestAnimationFrame(() => line?.scrollIntoView({ block: 'nearest' })));
}
