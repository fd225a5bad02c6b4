/**
 * A secret without the characters that a paste added. `cut` names the removed characters for the operator, such as
 * `quotation marks` and `U+200B`.
 */
export interface CleanSecret {
  secret: string;
  cut: string[];
}

const QUOTATION_MARKS = '"\'`“”„‟‘’‚‛«»';
/** A pair of quotation marks around the whole text. */
const QUOTED = new RegExp(`^[${QUOTATION_MARKS}]([^]*)[${QUOTATION_MARKS}]$`, 'u');
const MARKS_AT_AN_END = new RegExp(`^[${QUOTATION_MARKS}]+|[${QUOTATION_MARKS}]+$`, 'gu');
const OPENED = new RegExp(`^[${QUOTATION_MARKS}]`, 'u');
const CLOSED = new RegExp(`[${QUOTATION_MARKS}]$`, 'u');
/**
 * Control characters, format characters and characters that Unicode marks as not displayed, such as U+200B and U+FEFF.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{DI}]/gu;

/**
 * Removes the characters that a paste adds to a secret, because they make every signature fail. Returns the secret and
 * the kinds of characters removed.
 *
 * - Invisible characters, anywhere: no provider puts them into a secret.
 * - White space at the ends. White space within stays, because a user may have chosen it.
 * - Quotation marks around the secret, which `docker --env-file` keeps. A single mark is removed only from a secret of
 *   ElevenLabs' own form (`wsec_…`).
 */
export function cleanSecret(value: string): CleanSecret {
  const visible = cutWhiteSpace(value.replaceAll(INVISIBLE, ''));
  const cut = [...new Set(value.match(INVISIBLE))].map(describe);
  const { secret, hadMarks, hadSpace } = cutMarks(visible.secret);
  if (hadSpace || visible.hadSpace) cut.push('white space');
  if (hadMarks) cut.push('quotation marks');
  return { secret, cut };
}

/**
 * Cleans each secret of a comma-separated list, and removes quotation marks around the whole list.
 *
 * @returns  The secrets in their order, and each kind of removed character once.
 */
export function cleanSecrets(list: string): { secrets: string[]; cut: string[] } {
  const parts = list.split(',').map(cleanSecret);
  const secrets = parts.map(({ secret }) => secret);
  const cut = parts.flatMap((part) => part.cut);
  const isQuoted = secrets.length > 1 && OPENED.test(secrets[0] ?? '') && CLOSED.test(secrets.at(-1) ?? '');
  if (isQuoted) {
    secrets[0] = secrets[0]?.slice(1) ?? '';
    secrets.push(secrets.pop()?.slice(0, -1) ?? '');
    cut.push('quotation marks');
  }
  return { secrets, cut: [...new Set(cut)] };
}

function cutWhiteSpace(text: string): { secret: string; hadSpace: boolean } {
  const secret = text.trim();
  return { secret, hadSpace: secret !== text };
}

/** Removes every pair of marks: some tools add a pair of their own around the user's pair. */
function cutMarks(text: string): { secret: string; hadMarks: boolean; hadSpace: boolean } {
  let secret = text;
  let hadSpace = false;
  for (;;) {
    const inner = QUOTED.exec(secret)?.[1];
    if (inner === undefined) break;
    ({ secret, hadSpace } = { secret: inner.trim(), hadSpace: hadSpace || inner.trim() !== inner });
  }
  const bare = secret.replaceAll(MARKS_AT_AN_END, '');
  if (bare.startsWith('wsec_')) secret = bare;
  return { secret, hadMarks: secret !== text, hadSpace };
}

/** Describes a removed character: white space by name, any other character by its code. */
function describe(character: string): string {
  if (/[\t\n\v\f\r]/.test(character)) return 'white space';
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
