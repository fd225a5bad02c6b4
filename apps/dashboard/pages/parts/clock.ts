import { signal } from '@preact/signals';

/** The time of this machine, unix ms, once a second while the tab is visible. Relative times are drawn from it. */
export const clock = signal(Date.now());

/** Since when the tab is visible, unix ms. What is older was not asked for meanwhile, and is no news. */
export const visibleSince = signal(Date.now());

function tick(): void {
  if (!document.hidden) clock.value = Date.now();
}

function onVisible(): void {
  if (!document.hidden) visibleSince.value = Date.now();
  tick();
}

/** Starts the clock. @returns Stops it. */
export function startClock(): () => void {
  const timer = setInterval(tick, 1_000);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
