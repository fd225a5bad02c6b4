import { readTime } from './event-time.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/** Longer than this a text is no identifier: Postgres could not index it. In characters. */
const MAX_KEY_LENGTH = 256;

/**
 * Reads one event's fields tolerantly. Each reader takes the first of `names` that is there in the wanted form, looking
 * through the layers in order; a value of another form is as good as absent. What no reader took is in `rest()`: so a
 * field of the wrong type never costs the event and is never dropped.
 */
export interface Fields {
  /** A non-empty text; numbers and booleans are written out. */
  text(...names: string[]): string | undefined;
  /** A non-empty text short enough to be a key. */
  key(...names: string[]): string | undefined;
  /** A finite number, or a text that is one. */
  number(...names: string[]): number | undefined;
  /** true or false. */
  boolean(...names: string[]): boolean | undefined;
  /** A time in unix milliseconds. */
  time(...names: string[]): number | undefined;
  /** An object. */
  object(...names: string[]): JsonObject | undefined;
  /** An array. */
  array(...names: string[]): Json[] | undefined;
  /** What a table says for a text, in whatever case that is written. */
  oneOf<T>(table: ReadonlyMap<string, T>, ...names: string[]): T | undefined;
  /** Whether the topmost layer that has the field says null. */
  isNull(name: string): boolean;
  /** Anything but null. */
  any(...names: string[]): Json | undefined;
  /** Lays the object that stands in `name` beneath all layers: its fields are read too, where no layer above has them. */
  unfold(name: string): void;
  /** All that was not taken and is not null; an earlier layer's key hides a later one's. */
  rest(): JsonObject;
}

/** Reads from several objects as if they lay on top of each other, the first on top. */
export function fieldsOf(...layers: readonly (JsonObject | undefined)[]): Fields {
  const present = layers.filter((layer) => layer !== undefined);
  const taken = present.map(() => new Set<string>());

  function read<T>(names: readonly string[], form: (value: Json) => T | undefined): T | undefined {
    for (const [i, layer] of present.entries()) {
      for (const name of names) {
        if (!Object.hasOwn(layer, name)) continue;
        const value = layer[name];
        const formed = value === undefined || value === null ? undefined : form(value);
        if (formed === undefined) continue;
        taken[i]?.add(name);
        return formed;
      }
    }
    return undefined;
  }

  const object = (...names: string[]) => read(names, (value) => (isObject(value) ? value : undefined));

  return {
    text: (...names) => read(names, asText),
    key: (...names) => read(names, asKey),
    number: (...names) => read(names, asNumber),
    boolean: (...names) => read(names, (value) => (typeof value === 'boolean' ? value : undefined)),
    time: (...names) => read(names, readTime),
    object,
    array: (...names) => read(names, (value) => (Array.isArray(value) ? value : undefined)),
    oneOf: (table, ...names) =>
      read(names, (value) => (typeof value === 'string' ? table.get(value.toLowerCase()) : undefined)),
    isNull: (name) => present.find((layer) => Object.hasOwn(layer, name))?.[name] === null,
    any: (...names) => read(names, (value) => value),
    unfold: (name) => {
      const inner = object(name);
      if (inner) taken[present.push(inner) - 1] = new Set();
    },
    rest: () =>
      Object.fromEntries(
        present
          .flatMap((layer, i) =>
            Object.entries(layer).filter(([name, value]) => value !== null && !taken[i]?.has(name)),
          )
          .toReversed(),
      ),
  };
}

function asText(value: Json): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asKey(value: Json): string | undefined {
  const text = asText(value);
  return text !== undefined && text.length <= MAX_KEY_LENGTH ? text : undefined;
}

const NUMERIC = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function asNumber(value: Json): number | undefined {
  const number = typeof value === 'string' && NUMERIC.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
