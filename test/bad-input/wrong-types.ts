import { isObject, parseJson, type Json } from '@landline/webhook/json';
import { exampleEvent } from '../support/example-event.ts';

/** A value of each JSON type. */
const WRONG: readonly Json[] = [null, true, 0, -1.5, 1e300, '', 'text', '1e999', [], [[]], [{}], {}, { a: { b: [1] } }];

/** An event in which one field has a value of the wrong type. */
export interface WrongType {
  /** The field's place: `data.metadata.cost`. */
  place: string;
  body: Buffer;
}

/**
 * Makes events from a type's example: one for each field at any depth and each wrong value, and one without each field.
 * Each event has a conversation of its own.
 */
export function wrongTypesOf(type: string): WrongType[] {
  return placesIn(parsed(exampleEvent(type))).flatMap((place) =>
    [undefined, ...WRONG].map((value) => ({
      place: place.join('.'),
      body: Buffer.from(JSON.stringify(replaced(parsed(exampleEvent(type)), place, value))),
    })),
  );
}

function parsed(body: Buffer): Json {
  const result = parseJson(body.toString());
  if (!result.ok) throw new Error('an example is not JSON');
  return result.value;
}

function placesIn(value: Json): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...placesIn(inner).map((place) => [key, ...place])]);
}

function replaced(value: Json, [key, ...rest]: string[], by: Json | undefined): Json | undefined {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, i) => (String(i) === key ? (replaced(item, rest, by) ?? null) : item));
  if (!isObject(value)) return value;
  const changed = replaced(value[key] ?? null, rest, by);
  const { [key]: _, ...others } = value;
  return changed === undefined ? others : { ...others, [key]: changed };
}
