import { expect, test } from 'vitest';
import { z } from 'zod';
import { port, processVariables, readVariables, wholeNumber } from '../src/variables.ts';

const schema = z.object({
  ...processVariables,
  PORT: port('PORT').default(3000),
  SIZE: wholeNumber('SIZE', { unit: 'bytes', min: 10, max: 20 }),
});

test('an empty variable counts as not set', () => {
  expect(readVariables(schema, { PORT: '', LOG_LEVEL: '', SIZE: '10' })).toEqual({
    ok: true,
    config: { PORT: 3000, LOG_LEVEL: 'info', SIZE: 10 },
  });
});

test.each(['9', '21', '1e1', ' 10', '0x10', '-10', '10.0', '١٢', '99999999999'])(
  'takes digits in range alone, not "%s"',
  (SIZE) => {
    expect(readVariables(schema, { SIZE })).toMatchObject({
      ok: false,
      faults: expect.stringContaining('SIZE must be a whole number of bytes from 10 to 20'),
    });
  },
);

test('names every fault at once, and no value', () => {
  const read = readVariables(schema, { PORT: '70000', LOG_LEVEL: 'hunter2' });
  const faults = read.ok ? '' : read.faults;
  for (const name of ['PORT', 'LOG_LEVEL', 'SIZE']) expect(faults).toContain(name);
  expect(faults).not.toContain('hunter2');
});
