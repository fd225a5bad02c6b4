import { clock, visibleSince } from '../parts/clock.ts';

/** Figures that are older than this are said to be old: two polls have not come. */
const OLD_MS = 3_000;

/** Whether the figures are of now, or for how long no answer has come. It keeps its width. */
export function Freshness({ at }: { at: number | undefined }) {
  if (at === undefined) return <span class="freshness" />;
  // While the tab was hidden nothing was asked.
  const age = clock.value - Math.max(at, visibleSince.value);
  const isOld = age > OLD_MS;
  return (
    <span class={`freshness${isOld ? ' freshness-old' : ''}`} title="Figures are read once a second">
      <span class="follow-dot" aria-hidden="true" />
      {isOld ? `no answer for ${Math.round(age / 1_000)} s` : 'live'}
    </span>
  );
}
