/** Quotation marks, straight and typographic, which `docker --env-file` and word processors leave around a value. */
const QUOTATION_MARK = /^["'`“”„‟‘’‚‛«»]/u;
/**
 * Characters that no screen shows: white space, control characters, format characters, and characters that Unicode
 * marks as not displayed.
 */
const INVISIBLE = /[\s\p{Cc}\p{Cf}\p{DI}]/u;

/**
 * Describes a fault at the ends of a pasted value: quotation marks around it, white space or an invisible character.
 *
 * @param name   The variable's name, for the message.
 * @param value  Its value. The message holds no more of it than the code of one invisible character.
 * @returns      One sentence for the operator, or undefined where there is no fault.
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
