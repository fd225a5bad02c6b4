import { readFileSync } from 'node:fs';
import type { Changes, NormalisedEvent, Register } from '../../src/changes.ts';
import type { Delivery } from '../../src/delivery.ts';
import { normalise } from '../../src/normalise.ts';

/** When the deliveries of these tests were signed, in unix seconds: 2025-10-09T08:53:20Z. */
export const SIGNED_AT = 1_760_000_000;

/** A delivery of `body`: text as it is, anything else printed as JSON. */
export function deliver(body: unknown): Delivery {
  return {
    receivedAt: SIGNED_AT * 1000 + 1500,
    signedAt: SIGNED_AT,
    secretId: 'test',
    encoding: 'utf8',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/** Normalises `body`. */
export function read(body: unknown): NormalisedEvent {
  return normalise(deliver(body));
}

/** Returns the changes of `body`, which must be applied. */
export function changesOf(body: unknown): Changes {
  const event = read(body);
  if (event.outcome !== 'applied') throw new Error(`not applied: ${JSON.stringify(event)}`);
  return event.changes;
}

/** Reads a fixture of the repository, as its exact text. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8');
}

/** The values of a row's registers, without their clocks. */
export function values(registers: object | Map<string, Register>): Record<string, unknown> {
  const entries = registers instanceof Map ? [...registers] : Object.entries(registers);
  return Object.fromEntries(entries.map(([name, register]) => [name, valueOf(register)]));
}

/** The columns of a row of which nothing else is known: its registers, and beside a language the dialect of that. */
export function columns(row: Changes['conversation'] | Changes['profile']): Record<string, unknown> {
  if (row === null) return {};
  const { language } = row.fields;
  const dialect = language && { dialect: row.dialects.get(language.value)?.value ?? null };
  return { ...values(row.fields), ...dialect };
}

function valueOf(register: unknown): unknown {
  if (typeof register !== 'object' || register === null || !('value' in register)) throw new Error('not a register');
  return register.value;
}

/** Prints changes as text with every Map, so that a test can search for text that must not be in them. */
export function printed(changes: Changes): string {
  return JSON.stringify(changes, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}

/** Unix milliseconds of an ISO 8601 time. */
export function ms(iso: string): number {
  return Date.parse(iso);
}
