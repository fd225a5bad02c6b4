/** Returns all orders of some items, or `most` of them at even distances where there are more. */
export function permutations<T>(items: readonly T[], most = Number.POSITIVE_INFINITY): T[][] {
  const count = Math.min(most, factorial(items.length));
  const step = factorial(items.length) / count;
  return Array.from({ length: count }, (_, i) => nth(items, Math.floor(i * step)));
}

/** Returns the nth order in lexicographic order. */
function nth<T>(items: readonly T[], n: number): T[] {
  const left = [...items];
  let rest = n;
  return items.flatMap((_, i) => {
    const size = factorial(items.length - 1 - i);
    const at = Math.floor(rest / size);
    rest %= size;
    return left.splice(at, 1);
  });
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
