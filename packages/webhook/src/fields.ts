import { readTime } from './event-time.ts';
import { asArray, asBoolean, asItIs, asKey, asNumber, asObject, asText } from './field-forms.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/**
 * Reads one event's fields tolerantly, so that a field of the wrong type never costs the event.
 *
 * - Each reader returns the first of `names` that has the wanted form. It searches the layers in their order.
 * - A reader treats a value of another form as absent.
 * - `rest()` returns every field that no reader returned, so no field is dropped.
 */
export interface Fields {
  /** A non-empty text. Numbers and booleans become text. */
  text(...names: string[]): string | undefined;
  /** A non-empty text short enough to be a key. */
  key(...names: string[]): string | undefined;
  /** What `form` returns for a non-empty text. A text for which it returns undefined counts as absent. */
  textAs<T>(form: (text: string) => T | undefined, ...names: string[]): T | undefined;
  /** A finite number, also one that a text holds. */
  number(...names: string[]): number | undefined;
  /** A boolean. */
  boolean(...names: string[]): boolean | undefined;
  /** A time in unix milliseconds. */
  time(...names: string[]): number | undefined;
  /** An object. */
  object(...names: string[]): JsonObject | undefined;
  /** An array. */
  array(...names: string[]): Json[] | undefined;
  /** The table's value for a text. Case does not matter. */
  oneOf<T>(table: ReadonlyMap<string, T>, ...names: string[]): T | undefined;
  /** Whether the topmost layer that has the field says null. */
  isNull(name: string): boolean;
  /** Any value but null. */
  any(...names: string[]): Json | undefined;
  /**
   * Any value with content: not null, no empty text, no empty object. An empty value counts as read and is not in
   * `rest()`.
   */
  content(...names: string[]): Json | undefined;
  /**
   * These fields with the object in `name` as a new first layer. The layers below supply the fields that the object
   * lacks.
   */
  over(name: string): Fields;
  /** Adds the object in `name` as a last layer, which supplies the fields that all other layers lack. */
  unfold(name: string): void;
  /**
   * Every field that no reader returned and that is not null. A field of an earlier layer hides the same field of a
   * later one.
   */
  rest(): JsonObject;
}

/** Makes `Fields` of several objects. The first object is the first layer. */
export function fieldsOf(...layers: readonly (JsonObject | undefined)[]): Fields {
  return new LayeredFields(layers.filter((layer) => layer !== undefined));
}

/**
 * A class, because a transcript has hundreds of these: an object shares its class's methods, and closures would be made
 * anew.
 */
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
        if (hasContent(value)) return value;
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
    // The last layer first, so that an earlier layer overwrites it.
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

/** Returns whether a value has content. Senders fill unknown fields with `{}` and `""`. */
export function hasContent(value: Json): boolean {
  if (value === null || value === '') return false;
  return !isObject(value) || Object.keys(value).length > 0;
}

/** Returns whether a value has content, and is no empty list either. PHP prints an empty object as `[]`. */
export function isFilled(value: Json | undefined): boolean {
  return value !== undefined && hasContent(value) && !(Array.isArray(value) && value.length === 0);
}

/** Returns the object without the keys whose value is empty. */
export function withoutEmpties(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => hasContent(value)));
}

/** A plain assignment to `__proto__` would set the prototype. */
const ORDINARY = { enumerable: true, writable: true, configurable: true };
