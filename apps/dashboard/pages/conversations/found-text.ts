import type { ChatRow } from './chat-rows.ts';

/** A piece of a text: what was looked for, or what is around it. */
export interface Piece {
  text: string;
  isFound: boolean;
}

/** Cuts a text at each place that has what was looked for, whatever its case. */
export function piecesOf(text: string, wanted: string): Piece[] {
  if (wanted === '') return [{ text, isFound: false }];
  const parts = text.split(patternOf(wanted));
  return parts
    .map((part, index) => ({ text: part, isFound: index % 2 === 1 }))
    .filter((piece) => piece.isFound || piece.text !== '');
}

/** Lists the keys of the turns that have what was looked for. */
export function turnsWith(rows: readonly ChatRow[], wanted: string): string[] {
  if (wanted === '') return [];
  const pattern = patternOf(wanted);
  return rows.flatMap((row) => (row.kind === 'turn' && (row.turn.content ?? '').search(pattern) >= 0 ? [row.key] : []));
}

function patternOf(wanted: string): RegExp {
  return new RegExp(`(${wanted.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')})`, 'giu');
}
