import { expect } from 'vitest';
import type { Changes } from '../../src/changes.ts';
import { printed } from './deliver.ts';

const LAST_MS = 253_402_300_799_999;
const TIMES = new Set(['earliest', 'latest', 'created_at']);
const TIME_REGISTERS = new Set(['started_at', 'ended_at']);

/** Expects what Postgres asks of every change: clocks that are uuids, times that are timestamps, text that it can keep. */
export function expectStorable(changes: Changes): void {
  const text = printed(changes);
  expect(text.isWellFormed()).toBe(true);
  expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/);
  walk(changes);
}

function walk(value: unknown): void {
  if (value instanceof Map) return [...value.values()].forEach(walk);
  if (Array.isArray(value)) return value.forEach(walk);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    if (name === 'clock') expect(item).toMatch(/^[0-9a-f]{32}$/);
    else if (TIMES.has(name)) expectTime(item);
    else if (TIME_REGISTERS.has(name)) expectTime(valueOf(item));
    else if (name !== 'value' && name !== 'details') walk(item);
  }
}

function valueOf(register: unknown): unknown {
  return typeof register === 'object' && register !== null && 'value' in register ? register.value : undefined;
}

function expectTime(value: unknown): void {
  expect(Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= LAST_MS).toBe(true);
}
