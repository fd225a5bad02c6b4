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
    ['one secret', SECRET, [SECRET], []],
    ['several, in their order', `${SECRET},${OLD}`, [SECRET, OLD], []],
    ['white space around', ` ${SECRET} `, [SECRET], ['white space']],
    ['a new line at the end', `${SECRET}\n`, [SECRET], ['white space']],
    ['a space after the comma', `${SECRET}, ${OLD}`, [SECRET, OLD], ['white space']],
    ['white space inside is part of a secret', `${SECRET} ${OLD}`, [`${SECRET} ${OLD}`], []],
    ['exactly 32 characters', OLD, [OLD], []],
    ['quotation marks', `"${SECRET}"`, [SECRET], ['quotation marks']],
    ['single ones, around a space', `' ${OLD} '`, [OLD], ['white space', 'quotation marks']],
    ['two pairs of them', `'"${OLD}"'`, [OLD], ['quotation marks']],
    ['those of a word processor', `“${SECRET}”`, [SECRET], ['quotation marks']],
    ['quotation marks around the list', `"${OLD},${OLD}y"`, [OLD, `${OLD}y`], ['quotation marks']],
    ['quotation marks around each', `"${SECRET}", "${OLD}"`, [SECRET, OLD], ['quotation marks', 'white space']],
    ['one quotation mark too many', `${SECRET}"`, [SECRET], ['quotation marks']],
    ["a quotation mark that is part of a secret of one's own", `${OLD}"`, [`${OLD}"`], []],
    ['a zero-width space at the end', `${SECRET}\u200b`, [SECRET], ['U+200B']],
    ['a byte order mark at the start', `\ufeff${SECRET}`, [SECRET], ['U+FEFF']],
    ['a no-break space at the end', `${SECRET}\u00a0`, [SECRET], ['white space']],
    ['a soft hyphen inside', `wsec_\u00ad${'5e'.repeat(32)}`, [SECRET], ['U+00AD']],
    ['a line break inside, of a narrow window', `wsec_5e\r\n${'5e'.repeat(31)}`, [SECRET], ['white space']],
    ['a control character', `\u001b${SECRET}\u0000`, [SECRET], ['U+001B', 'U+0000']],
    ['marks of the direction of text', `\u202a${SECRET}\u202c`, [SECRET], ['U+202A', 'U+202C']],
    ['all of it', ` "\u200b${SECRET}" \n`, [SECRET], ['U+200B', 'white space', 'quotation marks']],
  ])('%s', (_, value, secrets, cut) => {
    const read = schema.parse({ ELEVENLABS_WEBHOOK_SECRET: value }).ELEVENLABS_WEBHOOK_SECRET;
    expect({ secrets: read.secrets, cut: read.cut.toSorted() }).toEqual({ secrets, cut: cut.toSorted() });
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
    ['too short but for its quotation marks', `"${'x'.repeat(31)}"`, /32 characters or more/],
    ['nothing but what cannot be seen', '\u200b'.repeat(40), /32 characters or more/],
  ])('refuses: %s', (_, value, message) => {
    expect(parse({ ELEVENLABS_WEBHOOK_SECRET: value })).toEqual([expect.stringMatching(message)]);
  });

  test('is not part of the error about it', () => {
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
