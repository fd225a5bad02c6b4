import { randomUUID } from 'node:crypto';
import { exampleBody } from '../../apps/cli/src/example-events.ts';

/** The body of an event of any type, as `landline send` makes it, of a conversation of its own. */
export function exampleEvent(type: string): Buffer {
  return exampleBody(type, randomUUID(), { sequence: 0, at: new Date() });
}
