/** A spoken language and, where one is named, its regional variety; both lower case. */
export interface Language {
  language: string;
  dialect: string | null;
}

/** The published languages and dialects with their English names. Others are stored as they come. */
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

const TAG = /^([a-z]{2,3})[-_]([a-z0-9]+(?:[-_][a-z0-9]+)*)$/;

/**
 * Reads a language tag and a dialect as the tables keep them: `ar-EG`, `ar_eg` and (`AR`, `eg`) are all ar and eg.
 *
 * @param tag      A language or a tag with its region.
 * @param dialect  The dialect where it is named apart; it wins over the tag's region. May itself be a whole tag.
 */
export function readLanguage(tag: string, dialect?: string): Language {
  const whole = tag.trim().toLowerCase();
  const parts = TAG.exec(whole);
  const language = parts?.[1] ?? whole;
  return { language, dialect: readDialect(language, dialect) ?? parts?.[2]?.replaceAll('_', '-') ?? null };
}

function readDialect(language: string, dialect: string | undefined): string | undefined {
  const named = dialect?.trim().toLowerCase().replaceAll('_', '-');
  const region = named?.startsWith(`${language}-`) ? named.slice(language.length + 1) : named;
  return region === '' ? undefined : region;
}
