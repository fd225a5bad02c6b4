/** The width of a table's cell, in characters: one long text must not push the other columns out of the terminal. */
const MAX_CELL = 60;

type Row = Readonly<Record<string, unknown>>;

/**
 * Formats rows as a table if the table fits into `width` columns, else each row as a block of lines. Control characters are shown as
 * escapes, so that the words of a caller can neither move the cursor nor colour the terminal.
 *
 * @returns The lines, and the number of rows at the end.
 */
export function formatTable(rows: readonly Row[], width: number): string {
  const count = `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`;
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0) return count;
  const cells = rows.map((row) => names.map((name) => shorten(formatValue(row[name]))));
  const widths = names.map((name, i) =>
    Math.max(displayWidth(name), ...cells.map((row) => displayWidth(row[i] ?? ''))),
  );
  const total = widths.reduce((sum, each) => sum + each + 3, -1);
  const body = total <= width ? asLines(names, cells, widths) : asBlocks(names, rows);
  return `${body}\n${count}`;
}

function asLines(names: string[], cells: string[][], widths: number[]): string {
  const line = (row: string[]) => ` ${row.map((cell, i) => pad(cell, widths[i] ?? 0)).join(' | ')}`.trimEnd();
  const rule = widths.map((each) => '-'.repeat(each + 2)).join('+');
  return [line(names), rule, ...cells.map(line)].join('\n');
}

function asBlocks(names: string[], rows: readonly Row[]): string {
  const nameWidth = Math.max(...names.map(displayWidth));
  return rows
    .map((row, i) => {
      const lines = names.map((name) => `${pad(name, nameWidth)} | ${formatValue(row[name])}`);
      return [`--- ${i + 1} ---`, ...lines].join('\n');
    })
    .join('\n');
}

function formatValue(value: unknown): string {
  return showControls(toText(value));
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? '';
}

/** Shows control characters as escapes, so that a text can neither move the cursor nor colour the terminal. */
export function showControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (control) =>
    control === '\n' ? '\\n' : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Escapes the control characters that JSON.stringify leaves in a JSON text: DEL and C1, and those that turn the direction of a text around.
 * The text stays JSON of the same value.
 */
export function escapeControls(json: string): string {
  // JSON has such characters in strings alone.
  return json.replaceAll(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > MAX_CELL ? `${characters.slice(0, MAX_CELL - 1).join('')}…` : text;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - displayWidth(text), 0));
}

// In a terminal a Chinese, Japanese or Korean character takes two columns, and a combining mark takes none.
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\p{Emoji_Presentation}]/u.test(
      character,
    )
      ? 2
      : 1;
  }
  return width;
}
