import type { Caller } from '@landline/store';
import { describe, expect, test } from 'vitest';
import { dynamicVariables } from '../src/dynamic-variables.ts';

const nobody: Caller = {
  language: null,
  dialect: null,
  personality: null,
  attributes: new Map(),
  calls: 0,
  lastSummary: null,
  lastCallAt: null,
};

const variablesOf = (caller: Partial<Caller>) => dynamicVariables({}, { ...nobody, ...caller });

describe('a personality', () => {
  test.for<[what: unknown, text: string]>([
    ['warm and slow', 'warm and slow'],
    [{ tone: 'warm', pace: 'slow' }, 'tone: warm; pace: slow'],
    [['warm', 'patient'], 'warm, patient'],
    [{ tone: ['warm', 'dry'], pace: { from: 1, to: 3 } }, 'tone: ["warm","dry"]; pace: {"from":1,"to":3}'],
    [['warm', { pace: 'slow' }, null, ''], 'warm, {"pace":"slow"}'],
    [{ tone: null, pace: 2, calm: false }, 'pace: 2; calm: false'],
    [7, '7'],
    [{}, ''],
    [[], ''],
    [null, ''],
    [undefined, ''],
  ])('%j is "%s"', ([personality, text]) => {
    expect(variablesOf({ personality })).toMatchObject({ caller_personality: text });
  });
});

test('each text is cut at 2,000 characters, and never within a character', () => {
  const long = '😀'.repeat(3_000);
  const variables = variablesOf({ personality: long, lastSummary: long, attributes: new Map([['note', long]]) });
  for (const name of ['caller_personality', 'caller_last_summary', 'note'])
    expect(variables[name]).toBe('😀'.repeat(2_000));
});

test('100 attributes at most become variables, scalars alone, and none of a reserved name', () => {
  const many = Array.from({ length: 150 }, (_, i): [string, unknown] => [`a${i}`, i]);
  const odd: [string, unknown][] = [
    ['list', []],
    ['nothing', null],
    ['object', {}],
    ['', 'x'],
    ['caller_known', false],
    ['caller_anything', 'x'],
    ['system__caller_id', 'x'],
    ['secret__pin', 'x'],
  ];
  const variables = variablesOf({ attributes: new Map([...odd, ['__proto__', 'own'], ...many]) });
  const own = Object.keys(variables).filter((name) => !name.startsWith('caller_'));
  expect(own).toEqual(['__proto__', ...many.slice(0, 99).map(([name]) => name)]);
  expect(variables['caller_known']).toBe(true);
});

test('facts about the caller replace the defaults, and these replace the variables of an unknown caller', () => {
  const defaults = { caller_language: 'en', caller_personality: 'friendly', first_name: 'friend', city: 'Cairo' };
  expect(dynamicVariables(defaults)).toMatchObject({ ...defaults, caller_known: false, caller_dialect: '' });
  const known = { ...nobody, language: 'ar', attributes: new Map([['first_name', 'Layla']]) };
  expect(dynamicVariables(defaults, known)).toMatchObject({
    caller_known: true,
    caller_language: 'ar',
    caller_dialect: '',
    caller_personality: 'friendly',
    first_name: 'Layla',
    city: 'Cairo',
  });
});
