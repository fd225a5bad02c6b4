/** The first pause after a failure, in ms. */
const FIRST_MS = 1_000;

/** The longest pause, in ms: so late it is noticed that the storage or Redis is back. */
const LONGEST_MS = 30_000;

/** Returns how long to wait after so many failures in a row, in ms: twice as long after each, and up to a quarter less by chance. */
export function retryPauseMs(failures: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return longest * (1 - Math.random() / 4);
}
