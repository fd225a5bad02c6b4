/**
 * Makes the condition that a column contains a text, whatever its case.
 *
 * In the locale `C`, which the embedded Postgres has, ILIKE knows the case of ASCII letters alone. A text with other letters that have one
 * becomes a regular expression that names both forms of each letter.
 *
 * @param bind  Takes a parameter, and answers what stands for it in the statement.
 */
export function containing(text: string, bind: (value: string) => string): (column: string) => string {
  const forms = [...text].map(formsOf);
  const isPlain = forms.every(([form = '', ...others]) => others.length === 0 || form < '\u0080');
  if (isPlain) {
    const pattern = bind(`%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`);
    return (column) => `${column} ILIKE ${pattern}`;
  }
  const pattern = bind(forms.map(classOf).join(''));
  return (column) => `${column} ~ ${pattern}`;
}

/** A character as it is, as a small and as a capital letter. Where that is several characters, as of ß, it is left out. */
function formsOf(character: string): string[] {
  const forms = new Set([character, character.toLowerCase(), character.toUpperCase()]);
  return [...forms].filter((form) => [...form].length === 1);
}

function classOf([form = '', ...others]: string[]): string {
  if (others.length > 0) return `[${form}${others.join('')}]`;
  return form.replace(/[.*+?^${}()|[\]\\]/, String.raw`\$&`);
}
