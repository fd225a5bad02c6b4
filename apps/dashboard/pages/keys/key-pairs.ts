/** Keys that a held key may go on pressing: they move by one row each. All others do their thing once. */
const REPEATED: ReadonlySet<string> = new Set(['j', 'k', 'down', 'up']);

/** Whether a keydown counts: one that a held key repeats does so only where it moves. */
export function counts(key: string, isRepeat: boolean): boolean {
  return !isRepeat || REPEATED.has(key);
}

/** What a key leads to. `runs` names the binding, such as `j` or `g o`; `waits` is the first key of a pair, which waits for its second. */
export type Meaning = { runs: string } | { waits: string } | 'nothing';

/**
 * Tells what a key means after `first`, the first key of a pair or '': a pair comes before the key alone, and `esc` takes back the first key.
 *
 * @param bound All keys and pairs that are bound now.
 */
export function meaningOf(key: string, first: string, bound: ReadonlySet<string>): Meaning {
  if (first !== '' && key === 'esc') return 'nothing';
  if (first !== '' && bound.has(`${first} ${key}`)) return { runs: `${first} ${key}` };
  if (secondKeys(key, bound).length > 0) return { waits: key };
  return bound.has(key) ? { runs: key } : 'nothing';
}

/** The keys that make a pair with `first`, in the order in which they are bound. */
export function secondKeys(first: string, bound: ReadonlySet<string>): string[] {
  return [...bound].filter((keys) => keys.startsWith(`${first} `)).map((keys) => keys.slice(first.length + 1));
}
