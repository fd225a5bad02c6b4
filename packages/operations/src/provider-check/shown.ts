/** The most characters of a name that is shown. */
const NAME_CHARACTERS = 80;

/** The most characters of a URL or of a message that is shown. */
const LINE_CHARACTERS = 300;

/** Characters that a terminal obeys or does not show, and that a jsonb column may refuse. */
const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Returns a text of the provider as a line may hold it: bounded, and with control characters as escapes. */
export function shown(text: string, most = LINE_CHARACTERS): string {
  // A surrogate pair is two of these: the cut is made in twice as many, so that a long text is not walked through.
  const characters = Array.from(text.slice(0, 2 * most + 2));
  const cut = characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
  return cut.replaceAll(OBEYED, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Returns a name of the provider in quotes; its id where it has none. */
export function shownName({ id, name }: { id: string; name: string }): string {
  return `"${shown(name.trim() === '' ? id : name, NAME_CHARACTERS)}"`;
}

/** Returns a URL without what may be secret in it: user, password, query. */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return 'no URL';
  const url = new URL(text);
  return shown(`${url.protocol}//${url.host}${url.pathname}`);
}

/** Returns some names of a list, and how many others there are. */
export function shownNames(named: readonly { id: string; name: string }[], most = 5): string {
  const first = named.slice(0, most).map(shownName).join(', ');
  return named.length > most ? `${first} and ${named.length - most} more` : first;
}
