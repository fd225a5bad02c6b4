import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { intakeVariables } from '../src/variables.ts';

const schema = z.object(intakeVariables);

const DEFAULTS = { BATCH_MAX_EVENTS: 200, BATCH_MAX_BYTES: 1_048_576, ENQUEUE_TIMEOUT_MS: 1000 };

describe('intakeVariables', () => {
  it('has a default for each', () => {
    expect(schema.parse({})).toEqual(DEFAULTS);
  });

  it('takes an empty string for not set', () => {
    expect(schema.parse({ BATCH_MAX_EVENTS: '', BATCH_MAX_BYTES: '', ENQUEUE_TIMEOUT_MS: '' })).toEqual(DEFAULTS);
  });

  it.each([
    ['BATCH_MAX_EVENTS', '1', 1],
    ['BATCH_MAX_EVENTS', '10000', 10_000],
    ['BATCH_MAX_BYTES', '1024', 1024],
    ['ENQUEUE_TIMEOUT_MS', '250', 250],
  ])('reads %s=%s', (name, value, expected) => {
    expect(schema.parse({ [name]: value })).toMatchObject({ [name]: expected });
  });

  it.each([
    ['BATCH_MAX_EVENTS', '0'],
    ['BATCH_MAX_EVENTS', '10001'],
    ['BATCH_MAX_EVENTS', '0x10'],
    ['BATCH_MAX_EVENTS', ' 12 '],
    ['BATCH_MAX_EVENTS', '1e3'],
    ['BATCH_MAX_EVENTS', '-5'],
    ['BATCH_MAX_BYTES', '1023'],
    ['BATCH_MAX_BYTES', '1.5'],
    ['ENQUEUE_TIMEOUT_MS', '9'],
    ['ENQUEUE_TIMEOUT_MS', '99999999999'],
  ])('refuses %s=%s with a message that names it', (name, value) => {
    const { error } = schema.safeParse({ [name]: value });
    expect(error?.issues.map((issue) => issue.message)).toEqual([expect.stringContaining(`${name} must `)]);
  });
});
