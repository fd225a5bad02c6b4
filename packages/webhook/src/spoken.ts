import type { Register } from './changes.ts';
import type { Clock } from './clock.ts';
import type { Fields } from './fields.ts';
import { readDialect, readLanguage, type Language } from './language.ts';

/** The language columns of a conversation or a profile: the current language, and a dialect for each language. */
export interface SpokenOf {
  fields: { language?: Register<string> };
  dialects: Map<string, Register<string>>;
}

/**
 * Writes a language, and its dialect to the register of that language. A language without a dialect keeps the known
 * dialect.
 */
export function addSpoken(row: SpokenOf, spoken: Language | undefined, clock: Clock): void {
  if (spoken === undefined) return;
  row.fields.language = { value: spoken.language, clock };
  if (spoken.dialect !== null) row.dialects.set(spoken.language, { value: spoken.dialect, clock });
}

/** Reads `language` and `dialect`. Words that name no language, or no dialect, stay in `rest()`. */
export function readSpoken(fields: Fields): Language | undefined {
  const spoken = fields.textAs((tag) => readLanguage(tag), 'language');
  if (spoken === undefined) return undefined;
  const dialect = fields.textAs((named) => readDialect(spoken.language, named), 'dialect');
  return dialect === undefined ? spoken : { language: spoken.language, dialect };
}
