import { readTime } from './event-time.ts';
import { asArray, asBoolean, asItIs, asKey, asNumber, asObject, asText } from './field-forms.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

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
  /** What `form` makes of a non-empty text; a text of which it makes nothing is as good as absent. */
  textAs<T>(form: (text: string) => T | undefined, ...names: string[]): T | undefined;
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
  /** Anything that says something: not null, no empty text, no empty object. Those count as read, and are not in the rest. */
  content(...names: string[]): Json | undefined;
  /** These fields with the object that stands in `name` on top: what it lacks is read where it stands one level higher. */
  over(name: string): Fields;
  /** Lays the object that stands in `name` beneath all layers: its fields are read too, where no layer above has them. */
  unfold(name: string): void;
  /** All that was not taken and is not null; an earlier layer's key hides a later one's. */
  rest(): JsonObject;
}

/** Reads from several objects as if they lay on top of each other, the first on top. */
export function fieldsOf(...layers: readonly (JsonObject | undefined)[]): Fields {
  return new LayeredFields(layers.filter((layer) => layer !== undefined));
}

/** A class, because an event has several of these and a transcript hundreds: methods are made once, closures every time. */
class LayeredFields implements Fields {
  readonly #layers: JsonObject[];
  /** The names taken from each layer. */
  readonly #taken: string[][];

  constructor(layers: JsonObject[]) {
    this.#layers = layers;
    this.#taken = layers.map(() => []);
  }

  text(...names: string[]): string | undefined {
    return this.#read(names, asText);
  }

  key(...names: string[]): string | undefined {
    return this.#read(names, asKey);
  }

  textAs<T>(form: (text: string) => T | undefined, ...names: string[]): T | undefined {
    return this.#read(names, (value) => {
      const text = asText(value);
      return text === undefined ? undefined : form(text);
    });
  }

  number(...names: string[]): number | undefined {
    return this.#read(names, asNumber);
  }

  boolean(...names: string[]): boolean | undefined {
    return this.#read(names, asBoolean);
  }

  time(...names: string[]): number | undefined {
    return this.#read(names, readTime);
  }

  object(...names: string[]): JsonObject | undefined {
    return this.#read(names, asObject);
  }

  array(...names: string[]): Json[] | undefined {
    return this.#read(names, asArray);
  }

  oneOf<T>(table: ReadonlyMap<string, T>, ...names: string[]): T | undefined {
    return this.#read(names, (value) => (typeof value === 'string' ? table.get(value.toLowerCase()) : undefined));
  }

  isNull(name: string): boolean {
    return this.#layers.find((layer) => Object.hasOwn(layer, name))?.[name] === null;
  }

  any(...names: string[]): Json | undefined {
    return this.#read(names, asItIs);
  }

  content(...names: string[]): Json | undefined {
    for (const [i, layer] of this.#layers.entries()) {
      for (const name of names) {
        const value = Object.hasOwn(layer, name) ? layer[name] : undefined;
        if (value === undefined || value === null) continue;
        this.#taken[i]?.push(name);
        if (saysSomething(value)) return value;
      }
    }
    return undefined;
  }

  over(name: string): Fields {
    const inner = this.object(name);
    return inner ? new LayeredFields([inner, ...this.#layers]) : this;
  }

  unfold(name: string): void {
    const inner = this.object(name);
    if (inner) this.#taken[this.#layers.push(inner) - 1] = [];
  }

  rest(): JsonObject {
    const rest: JsonObject = {};
    // From the lowest layer up, so that what lies above overwrites what it hides.
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = this.#layers[i] ?? {};
      for (const name of Object.keys(layer)) {
        const value = layer[name];
        if (value === null || value === undefined || this.#taken[i]?.includes(name)) continue;
        if (name === '__proto__') Object.defineProperty(rest, name, { value, ...ORDINARY });
        else rest[name] = value;
      }
    }
    return rest;
  }

  #read<T>(names: readonly string[], form: (value: Json) => T | undefined): T | undefined {
    for (let i = 0; i < this.#layers.length; i++) {
      const layer = this.#layers[i] ?? {};
      for (const name of names) {
        if (!Object.hasOwn(layer, name)) continue;
        const value = layer[name];
        const formed = value === undefined || value === null ? undefined : form(value);
        if (formed === undefined) continue;
        this.#taken[i]?.push(name);
        return formed;
      }
    }
    return undefined;
  }
}

/** Whether a value is more than the empty form of one: senders fill what they do not know with `{}` and `""`. */
export function saysSomething(value: Json): boolean {
  if (value === null || value === '') return false;
  return !isObject(value) || Object.keys(value).length > 0;
}

/** `saysSomething` where an empty list is empty as well: PHP prints an empty object as `[]`. */
export function holdsSomething(value: Json | undefined): boolean {
  return value !== undefined && saysSomething(value) && !(Array.isArray(value) && value.length === 0);
}

/** The object without the keys whose value says nothing. */
export function withoutEmpties(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => saysSomething(value)));
}

/** Assigned like any other key, `__proto__` would set the prototype. */
const ORDINARY = { enumerable: true, writable: true, configurable: true };
