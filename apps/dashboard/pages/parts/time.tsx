import { useComputed } from '@preact/signals';
import { useContext } from 'preact/hooks';
import { clock } from './clock.ts';
import { InsideOption } from './inside-option.ts';
import { bytesText, countText, durationText, exactTime, relativeTime } from './relative-time.ts';

/** Stands where there is nothing to show. */
function Nothing() {
  return <span class="nothing">–</span>;
}

/** A relative time that keeps itself up to date. */
function Moment({ at }: { at: string }) {
  const isInside = useContext(InsideOption);
  const ms = Date.parse(at);
  const text = useComputed(() => relativeTime(ms, clock.value));
  const exact = exactTime(ms);
  // In a list the row has the focus, and what it opens tells the exact time.
  const focusable = isInside ? {} : { tabIndex: 0, 'data-exact': exact };
  return (
    <time class="time" dateTime={at} title={exact} {...focusable}>
      {text}
    </time>
  );
}

/** When it was: relative, and exact in the viewer's zone for the mouse and for the focus. */
export function Time({ at }: { at: string | null }) {
  return at === null ? <Nothing /> : <Moment key={at} at={at} />;
}

/** A length of time. */
export function Duration({ seconds }: { seconds: number | null }) {
  return seconds === null ? <Nothing /> : <span class="number">{durationText(seconds)}</span>;
}

/** A number of bytes; the exact one is in the title. */
export function Bytes({ count }: { count: number | null }) {
  if (count === null) return <Nothing />;
  return (
    <span class="number" title={`${countText(count)} bytes`}>
      {bytesText(count)}
    </span>
  );
}

/** A count with its thousands apart. */
export function Count({ n }: { n: number | null }) {
  return n === null ? <Nothing /> : <span class="number">{countText(n)}</span>;
}
