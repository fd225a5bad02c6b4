/** A secret as it was meant, and what was cut from it, in words for the operator: `quotation marks`, `U+200B`. */
export interface CleanSecret {
  secret: string;
  cut: string[];
}

const QUOTATION_MARKS = '"\'`“”„‟‘’‚‛«»';
/** A pair around the whole. */
const QUOTED = new RegExp(`^[${QUOTATION_MARKS}]([^]*)[${QUOTATION_MARKS}]$`, 'u');
const MARKS_AT_AN_END = new RegExp(`^[${QUOTATION_MARKS}]+|[${QUOTATION_MARKS}]+$`, 'gu');
const OPENED = new RegExp(`^[${QUOTATION_MARKS}]`, 'u');
const CLOSED = new RegExp(`[${QUOTATION_MARKS}]$`, 'u');
/** Control characters, and characters that Unicode tells programs not to draw, such as U+200B and U+FEFF. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{DI}]/gu;

/**
 * Cuts what a paste leaves in a secret, and would make every signature fail:
 *
 * - invisible characters, wherever they stand: nobody types them, and no provider puts them into a secret;
 * - white space at the ends (a space within stays: somebody may have chosen it);
 * - quotation marks around it, which `docker --env-file` keeps; a single one only from a secret of ElevenLabs' own form (`wsec_…`).
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
 * Cleans a list of secrets, separated by commas: each of them, and quotation marks that stand around the whole list.
 *
 * @returns  The secrets in their order, and what was cut from any of them, each kind once.
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

/** Cuts pairs until there is none: some tools add their own around the user's. */
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

/** Tabs and line breaks have a name that everybody knows; of the others the code is told. */
function describe(character: string): string {
  if (/[\t\n\v\f\r]/.test(character)) return 'white space';
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
