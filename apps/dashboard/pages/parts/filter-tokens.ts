/** A word that a list can be filtered by. */
export interface FilterWord {
  name: string;
  /** What it is for a person, such as `Type of event`. */
  label: string;
  /** Values to choose from. Others can be typed as well: the API says which are impossible. */
  values?: readonly string[];
  placeholder?: string;
}

/** A word with its value, as `type:conversation.started` is read. */
export interface Token {
  name: string;
  value: string;
}

/** What can be chosen while one types: a word to go on with, or a whole token. */
export interface Suggestion {
  /** What the field holds, or the token that is set, when it is chosen. */
  insert: string;
  label: string;
  isWhole: boolean;
}

/** `name:value`, where a value with spaces stands in quotes; or a word of free text. */
const TERM = /(?:([a-z_]+):)?(?:"([^"]*)"?|(\S+))/g;

/** Reads what was typed: tokens of known words, and the rest as free text. */
export function readTyped(typed: string, words: readonly FilterWord[]): { tokens: Token[]; text: string } {
  const tokens: Token[] = [];
  const text: string[] = [];
  for (const [whole, name, quoted, plain] of typed.matchAll(TERM)) {
    const value = quoted ?? plain ?? '';
    if (name !== undefined && words.some((word) => word.name === name)) tokens.push({ name, value });
    else text.push(name === undefined ? value : whole);
  }
  return { tokens: tokens.filter(({ value }) => value !== ''), text: text.join(' ') };
}

/** A token as one types it. */
export function tokenText({ name, value }: Token): string {
  return `${name}:${/[\s"]/.test(value) ? `"${value}"` : value}`;
}

/** How many values are offered at once. */
const MOST_VALUES = 12;

/** From so many letters on, values are offered without their word: `dead` offers `outcome:dead`. */
const VALUE_FROM = 2;

/** Values of a word that hold what is typed. */
function valuesLike({ name, values = [] }: FilterWord, typed: string): Token[] {
  const like = typed.toLowerCase();
  return values
    .filter((value) => value.toLowerCase().includes(like) && value !== typed)
    .map((value) => ({ name, value }));
}

/** What fits the last term of what was typed. With nothing typed, each word. */
export function suggestionsFor(typed: string, words: readonly FilterWord[]): Suggestion[] {
  const term = /\S*$/.exec(typed)?.[0] ?? '';
  const before = typed.slice(0, typed.length - term.length);
  const [name = '', ...rest] = term.split(':');
  const whole = (token: Token): Suggestion => {
    const text = tokenText(token);
    return { insert: before + text, label: text, isWhole: true };
  };
  if (rest.length === 0) {
    const fitting = words.filter((word) => word.name.startsWith(name.toLowerCase()));
    const values = name.length < VALUE_FROM ? [] : words.flatMap((word) => valuesLike(word, name));
    return [
      ...fitting.map((word) => ({ insert: `${before}${word.name}:`, label: word.label, isWhole: false })),
      ...values.slice(0, MOST_VALUES).map(whole),
    ];
  }
  const word = words.find((each) => each.name === name);
  return word ? valuesLike(word, rest.join(':')).slice(0, MOST_VALUES).map(whole) : [];
}
