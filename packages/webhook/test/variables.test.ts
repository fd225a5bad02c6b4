import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { webhookVariables } from '../src/variables.ts';

const schema = z.object(webhookVariables);
const SECRET = `wsec_${'5e'.repeat(32)}`;
const OLD = 'x'.repeat(32);

/** The variables read, or every message about them. */
function parse(variables: Record<string, string | undefined>): unknown {
  const result = schema.safeParse({ ELEVENLABS_WEBHOOK_SECRET: SECRET, ...variables });
  return result.success ? result.data : result.error.issues.map((issue) => issue.message);
}

describe('ELEVENLABS_WEBHOOK_SECRET', () => {
  test.each([
    ['one secret', SECRET, [SECRET], false],
    ['several, in their order', `${SECRET},${OLD}`, [SECRET, OLD], false],
    ['white space around', ` ${SECRET} `, [SECRET], true],
    ['a new line at the end', `${SECRET}\n`, [SECRET], true],
    ['a space after the comma', `${SECRET}, ${OLD}`, [SECRET, OLD], true],
    ['white space inside is part of a secret', `${SECRET} ${OLD}`, [`${SECRET} ${OLD}`], false],
    ['exactly 32 characters', OLD, [OLD], false],
  ])('%s', (_, value, secrets, hadWhiteSpace) => {
    expect(parse({ ELEVENLABS_WEBHOOK_SECRET: value })).toMatchObject({
      ELEVENLABS_WEBHOOK_SECRET: { secrets, hadWhiteSpace },
    });
  });

  test.each([
    ['not set', undefined, /is not set: copy the secret that ElevenLabs shows/],
    ['empty', '', /32 characters or more/],
    ['blank', ' '.repeat(40), /32 characters or more/],
    ['too short', 'x'.repeat(31), /32 characters or more/],
    ['too short but for its white space', ` ${'x'.repeat(31)} `, /32 characters or more/],
    ['one of two too short', `${SECRET},short`, /32 characters or more/],
    ['empty between the commas', `${SECRET},,${OLD}`, /none may be empty between the commas/],
    ['a comma at the end', `${SECRET},`, /none may be empty between the commas/],
  ])('refuses: %s', (_, value, message) => {
    expect(parse({ ELEVENLABS_WEBHOOK_SECRET: value })).toEqual([expect.stringMatching(message)]);
  });

  test('is not told by the error about it', () => {
    expect(JSON.stringify(parse({ ELEVENLABS_WEBHOOK_SECRET: `${SECRET},hunter2` }))).not.toMatch(/hunter2|wsec_/);
  });
});

describe('SIGNATURE_TOLERANCE_SECONDS', () => {
  test.each([
    [undefined, 3600],
    ['0', 0],
    ['1800', 1800],
    ['9999999', 9_999_999],
  ])('%s: %s', (value, seconds) => {
    expect(parse({ SIGNATURE_TOLERANCE_SECONDS: value })).toMatchObject({ SIGNATURE_TOLERANCE_SECONDS: seconds });
  });

  test.each(['', '-1', '1.5', '1e3', '0x10', ' 60 ', '60s', '99999999', 'Infinity'])('refuses %j', (value) => {
    expect(parse({ SIGNATURE_TOLERANCE_SECONDS: value })).toEqual([
      'SIGNATURE_TOLERANCE_SECONDS must be a whole number of seconds',
    ]);
  });
});
