import { randomUUID } from 'node:crypto';
import { exampleBody } from '../../apps/cli/src/example-events.ts';

/** Makes the body of an event of any type as `landline send` does, in a conversation of its own. */
export function exampleEvent(type: string): Buffer {
  return exampleBody(type, randomUUID(), { sequence: 0, at: new Date() });
}
