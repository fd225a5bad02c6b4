import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LANGUAGES, readLanguage } from '../src/language.ts';

const PUBLISHED = {
  ar: 'eg sa ae jo lb ma tn dz iq sy ye om kw qa bh',
  en: 'us uk au ca nz ie',
  fr: '',
  es: 'es mx ar co cl pe ve',
  de: '',
  it: '',
  pt: '',
  ru: '',
  zh: '',
  ja: '',
  ko: '',
};
const PAIRS = Object.entries(PUBLISHED).flatMap(([language, dialects]) =>
  dialects
    .split(' ')
    .filter(Boolean)
    .map((dialect): [string, string] => [language, dialect]),
);

test('publishes eleven languages and their dialects, each with a name', () => {
  expect(Object.keys(LANGUAGES)).toEqual(Object.keys(PUBLISHED));
  for (const [language, dialects] of Object.entries(PUBLISHED)) {
    expect(LANGUAGES[language]?.name).toMatch(/^[A-Z]/);
    expect(Object.keys(LANGUAGES[language]?.dialects ?? {})).toEqual(dialects.split(' ').filter(Boolean));
    for (const name of Object.values(LANGUAGES[language]?.dialects ?? {})) expect(name).toMatch(/^[A-Z]/);
  }
});

test.each(Object.keys(PUBLISHED))('%s has no dialect of its own accord', (language) => {
  expect(readLanguage(language)).toEqual({ language, dialect: null });
  expect(readLanguage(` ${language.toUpperCase()} `)).toEqual({ language, dialect: null });
});

test.each(PAIRS)('%s and %s, however they are written', (language, dialect) => {
  const expected = { language, dialect };
  const region = dialect.toUpperCase();

  expect(readLanguage(`${language}-${region}`)).toEqual(expected);
  expect(readLanguage(`${language}_${dialect}`)).toEqual(expected);
  expect(readLanguage(`${language.toUpperCase()}-${region}`)).toEqual(expected);
  expect(readLanguage(language, dialect)).toEqual(expected);
  expect(readLanguage(language, ` ${region} `)).toEqual(expected);
  expect(readLanguage(language, `${language}-${region}`)).toEqual(expected);
  expect(readLanguage(language, `${language}_${region}`)).toEqual(expected);
  expect(readLanguage(`${language}-XX`, dialect)).toEqual(expected);
});

test.each([
  ['ar-EG', undefined, 'ar', 'eg'],
  ['ar_eg', undefined, 'ar', 'eg'],
  ['pt-br', undefined, 'pt', 'br'],
  ['pt', 'pt-BR', 'pt', 'br'],
  ['zh-Hans-CN', undefined, 'zh', 'cn'],
  ['zh_Hans_CN', undefined, 'zh', 'cn'],
  ['zh-Hant-TW', undefined, 'zh', 'tw'],
  ['zh', 'zh-Hant-TW', 'zh', 'tw'],
  ['zh-Hant', undefined, 'zh', null],
  ['sr-Latn', undefined, 'sr', null],
  ['sr-Latn-RS', undefined, 'sr', 'rs'],
  ['zh-yue-Hant-HK', undefined, 'zh', 'yue-hk'],
  ['ca-valencia', undefined, 'ca', 'valencia'],
  ['de-CH-1996', undefined, 'de', 'ch-1996'],
  ['en-US-u-ca-gregory', undefined, 'en', 'us'],
  ['ar-x-bedouin', undefined, 'ar', null],
  ['ar_EG.UTF-8', undefined, 'ar', 'eg'],
  ['ar-Gulf', undefined, 'ar', 'gulf'],
  ['ar', 'gulf', 'ar', 'gulf'],
  ['ar', 'unknown', 'ar', null],
  ['ar-EG', 'none', 'ar', 'eg'],
  ['es-419', undefined, 'es', '419'],
  ['fil-PH', undefined, 'fil', 'ph'],
  ['ar-SA', 'EG', 'ar', 'eg'],
  ['es', 'ar', 'es', 'ar'],
  ['ar', '', 'ar', null],
  ['ar-EG', '   ', 'ar', 'eg'],
  ['ar', 'ar-', 'ar', null],
  ['en', 'Scottish', 'en', 'scottish'],
  ['English', undefined, 'english', null],
  ['en-', undefined, 'en-', null],
  ['tlh', undefined, 'tlh', null],
])('%s with %s: %s, %s', (tag, named, language, dialect) => {
  expect(readLanguage(tag, named)).toEqual({ language, dialect });
});

test.each(
  `unknown Unknown UND und-US mul auto auto-detect auto_detected AUTOMATIC none null undefined multi multilingual
  multi-lingual mixed zxx mis n/a N/A default - ? 1 C.UTF-8 POSIX`.split(/\s+/),
)('%s names no language, whatever dialect is named beside it', (word) => {
  expect(readLanguage(word)).toBeUndefined();
  expect(readLanguage(` ${word} `, 'eg')).toBeUndefined();
});

test.each(['', '   ', 'not specified'])('neither does "%s"', (word) => {
  expect(readLanguage(word)).toBeUndefined();
});

test('is lower case, never has an empty dialect, and reads its own answer the same', () => {
  const word = fc.oneof(fc.constantFrom('ar', 'EG', 'zh', 'Hans', '-', '_', ' '), fc.string());
  const tag = fc.array(word, { maxLength: 4 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(tag, fc.option(tag, { nil: undefined }), (text, named) => {
      const spoken = readLanguage(text, named);
      if (spoken === undefined) return;
      const { language, dialect } = spoken;
      expect(language).toBe(language.toLowerCase());
      expect(dialect).not.toBe('');
      expect(dialect).toBe(dialect?.toLowerCase() ?? null);
    }),
  );
});
