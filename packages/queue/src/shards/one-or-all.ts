/** Returns the only one as it is, or what `combine` makes of several. */
export function oneOrAll<T>(each: readonly T[], combine: (each: readonly T[]) => T): T {
  const [only] = each;
  return only !== undefined && each.length === 1 ? only : combine(each);
}

/** Asks all shards, and returns the answers of those that answer. @throws the first error where none answers */
export async function fromThoseThatAnswer<T>(questions: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(questions);
  const answers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = settled.find((each) => each.status === 'rejected');
  if (answers.length === 0 && refused !== undefined) throw refused.reason;
  return answers;
}
