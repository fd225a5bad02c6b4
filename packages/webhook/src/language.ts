/** A spoken language, and its dialect where one is named; both in lower case. */
export interface Language {
  language: string;
  dialect: string | null;
}

/**
 * The published languages and dialects with their English names. The tables also take languages that are not in this
 * list.
 */
export const LANGUAGES: Record<string, { name: string; dialects: Record<string, string> }> = {
  ar: {
    name: 'Arabic',
    dialects: {
      eg: 'Egypt',
      sa: 'Saudi Arabia',
      ae: 'United Arab Emirates',
      jo: 'Jordan',
      lb: 'Lebanon',
      ma: 'Morocco',
      tn: 'Tunisia',
      dz: 'Algeria',
      iq: 'Iraq',
      sy: 'Syria',
      ye: 'Yemen',
      om: 'Oman',
      kw: 'Kuwait',
      qa: 'Qatar',
      bh: 'Bahrain',
    },
  },
  en: {
    name: 'English',
    dialects: {
      us: 'United States',
      uk: 'United Kingdom',
      au: 'Australia',
      ca: 'Canada',
      nz: 'New Zealand',
      ie: 'Ireland',
    },
  },
  fr: { name: 'French', dialects: {} },
  es: {
    name: 'Spanish',
    dialects: {
      es: 'Spain',
      mx: 'Mexico',
      ar: 'Argentina',
      co: 'Colombia',
      cl: 'Chile',
      pe: 'Peru',
      ve: 'Venezuela',
    },
  },
  de: { name: 'German', dialects: {} },
  it: { name: 'Italian', dialects: {} },
  pt: { name: 'Portuguese', dialects: {} },
  ru: { name: 'Russian', dialects: {} },
  zh: { name: 'Chinese', dialects: {} },
  ja: { name: 'Japanese', dialects: {} },
  ko: { name: 'Korean', dialects: {} },
};

/** Words in a language field that name no language, in lower case, without spaces, dashes and underscores. */
const NO_LANGUAGE = new Set(
  `unknown unk und undetermined undefined undetected unidentified unspecified notspecified notset notavailable notapplicable
  unavailable auto automatic autodetect autodetected autodetection detect none null nil n/a nolanguage
  empty blank multi multiple multilingual multilanguage mul mis mixed zxx other others any all default c posix true false`.split(
    /\s+/,
  ),
);

/** ISO 15924 scripts that occur in language tags. A script says how a language is written, not how it is spoken. */
const SCRIPTS = new Set(
  `adlm arab aran armn beng bopo cans cher cyrl deva ethi geor grek gujr guru hang hani hans hant hebr hira hrkt jpan kana
  khmr knda kore laoo latn mlym mong mtei mymr nkoo olck orya rohg sinh sund syrc taml telu tfng thaa thai tibt vaii
  yiii`.split(/\s+/),
);

const TAG = /^([a-z]{2,3})((?:[-_][a-z0-9]+)+)$/;
const LOCALE = /^[a-z]{1,3}(?:_[a-z]{2})?[.@]/;
const LETTER = /\p{L}/u;

/**
 * Reads a language tag and a dialect into the form of the tables: `ar-EG`, `ar_eg` and (`AR`, `eg`) all become ar and
 * eg. The script and the extensions of a BCP 47 tag are left out: `zh-Hant-TW` is zh and tw, `sr-Latn` is sr.
 *
 * @param tag      A language, or a tag with its region.
 * @param dialect  A dialect in a field of its own. It wins over the tag's region, and may be a whole tag.
 * @returns        undefined for words that name no language, such as `unknown`, `und` or `auto`.
 */
export function readLanguage(tag: string, dialect?: string): Language | undefined {
  const whole = localeName(tag);
  const [, language = whole, subtags = ''] = TAG.exec(whole) ?? [];
  if (namesNothing(language) || (subtags !== '' && NO_LANGUAGE.has(whole.replaceAll(/[\s_-]+/g, '')))) return undefined;
  return { language, dialect: readDialect(language, dialect) ?? variety(subtags) };
}

/** Returns the tag in lower case, without the suffix of a POSIX locale (the `.UTF-8` of `ar_EG.UTF-8`). */
function localeName(tag: string): string {
  const whole = tag.trim().toLowerCase();
  return LOCALE.test(whole) ? whole.replace(/[.@].*$/s, '') : whole;
}

function namesNothing(word: string): boolean {
  if (Object.hasOwn(LANGUAGES, word)) return false;
  return !LETTER.test(word) || NO_LANGUAGE.has(word.replaceAll(/[\s_-]+/g, ''));
}

/**
 * Reads a dialect in a field of its own.
 *
 * @param language  The dialect's language, as `readLanguage` returns it.
 * @param dialect   A region, any other word, or a whole tag that begins with the language.
 * @returns         undefined for words that name no dialect.
 */
export function readDialect(language: string, dialect: string | undefined): string | undefined {
  const named = dialect?.trim().toLowerCase().replaceAll('_', '-');
  if (named === undefined || named === '') return undefined;
  if (named.startsWith(`${language}-`)) return variety(named.slice(language.length)) ?? undefined;
  return NO_LANGUAGE.has(named.replaceAll(/[\s-]+/g, '')) ? undefined : named;
}

/** Returns the dialect in subtags such as `-hant-tw`, without script and extensions; null where there is none. */
function variety(subtags: string): string | null {
  const parts = subtags.split(/[-_]/).filter((part) => part !== '' && !SCRIPTS.has(part));
  // A single letter begins an extension or a private part, which does not concern the speech.
  const end = parts.findIndex((part) => part.length === 1);
  const said = (end < 0 ? parts : parts.slice(0, end)).join('-');
  return said === '' ? null : said;
}
