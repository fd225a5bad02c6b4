/** The spans that no line leads to or from, as where little comes: they are drawn as dots. */
export function aloneIn(values: readonly (number | null | undefined)[]): number[] {
  const has = (n: number) => values[n] !== null && values[n] !== undefined;
  return values.flatMap((_, n) => (has(n) && !has(n - 1) && !has(n + 1) ? [n] : []));
}
