import type { Redis } from 'ioredis';

/** Returns the fields of INFO, of one section or of the default ones; none where an access list forbids INFO. */
export async function readInfo(connection: Redis, section = 'default'): Promise<Map<string, string>> {
  const text = await unlessForbidden(connection.info(section));
  const pairs = [...(text ?? '').matchAll(/^(\w+):(.*?)\r?$/gm)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** Returns the answer, or undefined where Redis forbids or does not know the command. Other errors are thrown. */
export async function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (
      error instanceof Error &&
      /^(NOPERM|ERR unknown (sub)?command|ERR .*(forbidden|not allowed|disabled))/i.test(error.message)
    ) {
      return undefined;
    }
    throw error;
  }
}
