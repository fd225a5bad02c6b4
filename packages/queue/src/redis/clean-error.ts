import { inspect } from 'node:util';

/**
 * Makes what was thrown fit to be logged and stored. Returns an `Error` in any case: BullMQ wedges on a thrown `undefined`. Removes the
 * `command` that ioredis adds, whose arguments are bodies of events or the password.
 */
export function cleanError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) {
    return new Error(`Thrown, but not an Error: ${inspect(thrown, { depth: 0, maxStringLength: 100 })}`);
  }
  Reflect.deleteProperty(thrown, 'command');
  // A refused connection to a name with two addresses has a code only.
  if (thrown.message === '') thrown.message = 'code' in thrown ? String(thrown.code) : thrown.name;
  return thrown;
}
