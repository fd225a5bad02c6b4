/** How many requests are on their way to the provider at once. Its smallest plan allows two. */
const AT_ONCE = 2;

/**
 * Does work for each item, two at once. After a failure none is begun any more.
 *
 * @returns  The first failure; undefined where there was none.
 */
export async function twoAtOnce<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<{ error: unknown } | undefined> {
  const left = items.values();
  let failure: { error: unknown } | undefined;

  async function goOn(): Promise<void> {
    for (const item of left) {
      if (failure !== undefined) return;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, goOn));
  return failure;
}
