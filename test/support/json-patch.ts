import { z } from 'zod';

/** The operation of RFC 6902 that Landline's patches use. */
const operationsSchema = z.array(z.strictObject({ op: z.literal('add'), path: z.string(), value: z.unknown() }));

/**
 * Applies a JSON patch, and returns the changed copy.
 *
 * @param operations  `[{ op: 'add', path, value }]`; a path ends in a key, an index, or `-` for the end of a list.
 * @throws            For another operation, and where the path leads nowhere.
 */
export function applyPatch(document: unknown, operations: unknown): unknown {
  return operationsSchema.parse(operations).reduce((changed: unknown, { path, value }) => {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    return add(changed, keys, value);
  }, document);
}

function add(parent: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  if (Array.isArray(parent)) return addToList(parent, [key, ...rest], value);
  if (typeof parent !== 'object' || parent === null) throw new Error(`A patch leads nowhere at "${key}"`);
  const members = new Map<string, unknown>(Object.entries(parent));
  if (rest.length > 0 && !members.has(key)) throw new Error(`A patch leads nowhere at "${key}"`);
  return Object.fromEntries(members.set(key, rest.length === 0 ? value : add(members.get(key), rest, value)));
}

function addToList(list: readonly unknown[], [key = '', ...rest]: readonly string[], value: unknown): unknown[] {
  const index = key === '-' ? list.length : Number(key);
  const isThere = Number.isInteger(index) && index >= 0 && index <= list.length - (rest.length > 0 ? 1 : 0);
  if (!isThere) throw new Error(`A patch leads nowhere at "${key}"`);
  return rest.length === 0
    ? [...list.slice(0, index), value, ...list.slice(index)]
    : list.map((each, i) => (i === index ? add(each, rest, value) : each));
}
