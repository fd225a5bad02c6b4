/** Quotation marks, straight and typographic, that `docker --env-file` and word processors leave around a value. */
const QUOTATION_MARK = /^["'`“”„‟‘’‚‛«»]/u;
/** What no screen shows: white space, control characters, and characters that Unicode tells programs not to draw. */
const INVISIBLE = /[\s\p{Cc}\p{Cf}\p{DI}]/u;

/**
 * Says what a pasted value should not have at its ends: quotation marks around it, white space or an invisible character.
 *
 * @param name   The variable's name, for the message.
 * @param value  Its value, of which nothing but the code of one such character is told.
 * @returns      One sentence for the operator, or undefined when there is nothing to say.
 */
export function describePasted(name: string, value: string): string | undefined {
  const characters = [...value];
  const first = characters[0] ?? '';
  const last = characters.at(-1) ?? '';
  if (characters.length > 1 && QUOTATION_MARK.test(first) && QUOTATION_MARK.test(last)) {
    return `${name} has quotation marks around it, and they count as part of it: docker --env-file keeps them. Take them away unless you mean them`;
  }
  const odd = [first, last].find((character) => INVISIBLE.test(character));
  if (odd === undefined) return undefined;
  const code = (odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `${name} begins or ends with a character that cannot be seen (U+${code}), and it counts as part of it. Take it away unless you mean it`;
}
