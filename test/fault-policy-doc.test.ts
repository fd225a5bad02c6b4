import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_POLICY } from '../apps/worker/src/fault-policy.ts';

const page = readFileSync(new URL('../docs/fault-policy.md', import.meta.url), 'utf8');

/** Reads the page's table, which has a row for each class. */
const rows = [...page.matchAll(/^\| (`.*`) \| (\w+) \| (\d+) \|$/gm)].flatMap(([, classes = '', action, pauses]) =>
  [...classes.matchAll(/`(\w+)`/g)].map(([, faultClass = '']) => [faultClass, { action, pausesAlone: Number(pauses) }]),
);

test('docs/fault-policy.md has the action and the pauses of every class', () => {
  const policy = Object.entries(FAULT_POLICY).map(([faultClass, { action, pausesAlone }]) => [
    faultClass,
    { action, pausesAlone },
  ]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(policy));
});

test('docs/fault-policy.md names the classes that a person has to look at', () => {
  const alarms = Object.entries(FAULT_POLICY).flatMap(([faultClass, { alarm }]) => (alarm ? [faultClass] : []));
  const [, named = ''] = /^(.*) also need a person/m.exec(page) ?? [];
  expect([...named.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).toSorted()).toEqual(alarms.toSorted());
});
