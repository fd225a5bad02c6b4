/** Returns a count with its noun: `1 body`, `2 bodies`. @param noun  In the singular; its plural ends in s. */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun.replace(/(?<![aeiou])y$/, 'ie')}s`;
}
