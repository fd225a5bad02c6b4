import type { Person } from '@landline/store';
import { phoneNumber } from '@landline/webhook/phone-number';
import { pause } from '../retry-while-away.ts';
import type { HeldRequest } from './erase-ports.ts';
import { ERASE } from './erasure-filter.ts';
import { IN_HAND_MS, type Search } from './look-for-person.ts';

/** A text that was looked for may hold a word; a shorter one also stands in other words. */
const LEAST_CHARACTERS = 6;

/** No longer text is a number in another form, such as a SIP address. */
const LONGEST_NUMBER = 256;

/**
 * Takes the console's requests out of Redis that name the person: carried out, they would bring the name back into `operations`. One that a worker has in
 * hand is waited for.
 */
export async function forgetRequests({ context, ports, person, names, count }: Search): Promise<void> {
  const isNamed = namesInFilter(person);
  const decide = ({ operation, unreadable, isResting }: HeldRequest): boolean => {
    if (unreadable !== undefined) return names(unreadable);
    if (operation === undefined || !isNamed(operation.filter)) return false;
    // Another erasure that waits is carried out, and forgets its subject when it ends.
    return operation.kind !== ERASE || isResting || operation.id === context.operation.id;
  };
  // oxlint-disable no-await-in-loop -- until nothing is in hand
  for (;;) {
    const { requests, in_hand } = await context.retry(() => ports.forgetRequests(decide, context.signal));
    await count({ requests });
    if (in_hand === 0) return;
    await pause(IN_HAND_MS, context.signal);
  }
  // oxlint-enable no-await-in-loop
}

/** Makes what tells whether a filter names a person. It finds whatever `clearFilters` of packages/store finds in a row, and other forms of a number. */
export function namesInFilter({ conversations, users, numbers }: Person) {
  const words = new Set([...conversations, ...users, ...numbers]);
  const within = [...words].filter((word) => word.length >= LEAST_CHARACTERS);
  const dialled = new Set(numbers.map(phoneNumber));
  return (filter: Readonly<Record<string, string>>): boolean =>
    Object.entries(filter).some(
      ([name, value]) =>
        words.has(value) ||
        (value.length <= LONGEST_NUMBER && dialled.has(phoneNumber(value))) ||
        (name === 'text' && within.some((word) => value.includes(word))),
    );
}
