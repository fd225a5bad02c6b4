import type { Register } from './changes.ts';
import type { Clock } from './clock.ts';
import type { Fields } from './fields.ts';
import { readDialect, readLanguage, type Language } from './language.ts';

/** What a conversation or a profile says of a language: the language that stands, and the dialect of each. */
export interface SpokenOf {
  fields: { language?: Register<string> };
  dialects: Map<string, Register<string>>;
}

/** Writes a language and, in that language's own register, its dialect: one told without a dialect keeps the one known. */
export function addSpoken(row: SpokenOf, spoken: Language | undefined, clock: Clock): void {
  if (spoken === undefined) return;
  row.fields.language = { value: spoken.language, clock };
  if (spoken.dialect !== null) row.dialects.set(spoken.language, { value: spoken.dialect, clock });
}

/** What `language` and `dialect` say; words that name no language, and a dialect of none, are left in the rest. */
export function readSpoken(fields: Fields): Language | undefined {
  const spoken = fields.textAs((tag) => readLanguage(tag), 'language');
  if (spoken === undefined) return undefined;
  const dialect = fields.textAs((named) => readDialect(spoken.language, named), 'dialect');
  return dialect === undefined ? spoken : { language: spoken.language, dialect };
}
