/** Prints a table whose first row is its head. Cells from the column `numbersFrom` on are aligned to the right. */
export function markdownTable(rows: readonly (readonly string[])[], numbersFrom: number): string {
  const [head = '', ...body] = rows.map((row) => `| ${row.map(escapeCell).join(' | ')} |`);
  const rule = `| ${(rows[0] ?? []).map((_, i) => (i < numbersFrom ? '---' : '---:')).join(' | ')} |`;
  return [head, rule, ...body].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Replaces the text between `<!-- name -->` and `<!-- /name -->`. Throws when the text has no such marks. */
export function replacePart(text: string, name: string, markdown: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The text has no ${start} … ${end}.`);
  return `${text.slice(0, from + start.length)}\n\n${markdown}\n\n${text.slice(to)}`;
}
