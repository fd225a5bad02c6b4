import { z } from 'zod';

type Json = z.core.util.JSONType;

/** How much of one value an answer holds, in bytes of its JSON. A payload may have 16 MiB of anything. */
const MOST_JSON_BYTES = 24_000;

/** How much of one text. */
const MOST_TEXT_BYTES = 48_000;

/** The most that the items of one answer may have together. With what is around them it stays below 300 KB. */
export const MOST_ITEMS_BYTES = 290_000;

const jsonSchema = z.custom<Json>();

/** Returns how many bytes of UTF-8 a value has as JSON. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** A JSON value of a row; one that is too large is the beginning of its JSON as a text, which says so. */
export function boundedJson(value: unknown, mostBytes = MOST_JSON_BYTES): Json {
  const json = jsonSchema.parse(value ?? null);
  const text = JSON.stringify(json);
  return Buffer.byteLength(text) > mostBytes ? cut(text, mostBytes) : json;
}

/** A text of a row, cut where it has too many bytes as JSON. */
export function boundedText(text: string | null, mostBytes = MOST_TEXT_BYTES): string | null {
  return text === null || fits(text, mostBytes) ? text : cut(text, mostBytes);
}

/** The beginning of a text, as lists show it. What shows the item alone has more of it. */
export function listedText(text: string | null, mostBytes: number): string | null {
  return text === null || fits(text, mostBytes) ? text : `${beginningOf(text, mostBytes)}…`;
}

/**
 * Shows the first rows, as many as have so many bytes together as JSON; one at least.
 *
 * @param show  Makes the item of a row. Rows that no longer fit are not made into items.
 */
export function firstOf<Row, Item>(
  rows: readonly Row[],
  show: (row: Row) => Item,
  mostBytes = MOST_ITEMS_BYTES,
): Item[] {
  const items: Item[] = [];
  let bytes = 0;
  for (const row of rows) {
    const item = show(row);
    // The comma behind it counts as well.
    bytes += bytesOf(item) + 1;
    if (bytes > mostBytes && items.length > 0) break;
    items.push(item);
  }
  return items;
}

function fits(text: string, mostBytes: number): boolean {
  // The quotation marks are none of the text.
  return text.length <= mostBytes && bytesOf(text) - 2 <= mostBytes;
}

function cut(text: string, mostBytes: number): string {
  const beginning = beginningOf(text, mostBytes);
  return `${beginning}… (${beginning.length} of ${text.length} characters are shown; the body of the event has all of them)`;
}

/** Returns the longest beginning that has so many bytes as JSON at most. */
function beginningOf(text: string, mostBytes: number): string {
  let [fitting, tooLong] = [0, mostBytes + 1];
  while (tooLong - fitting > 1) {
    const middle = Math.floor((fitting + tooLong) / 2);
    if (fits(text.slice(0, middle), mostBytes)) fitting = middle;
    else tooLong = middle;
  }
  // Not in the middle of a character.
  return text.slice(0, fitting).replace(/[\ud800-\udbff]$/, '');
}
