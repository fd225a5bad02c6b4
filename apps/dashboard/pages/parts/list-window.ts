/** Which rows of a long list are drawn. */
export interface ListWindow {
  from: number;
  /** Not included. */
  to: number;
}

/** Rows that are drawn above and below what one sees, so that scrolling shows no gaps. */
const SPARE = 10;

/** The rows that are seen, and some more on both sides. */
export function listWindow(scrollTop: number, height: number, rows: { count: number; height: number }): ListWindow {
  const from = Math.max(0, Math.floor(scrollTop / rows.height) - SPARE);
  const to = Math.min(rows.count, Math.ceil((scrollTop + height) / rows.height) + SPARE);
  return { from: Math.min(from, to), to };
}

/** Where to scroll so that a row is seen whole; undefined where it is. */
export function scrollToShow(
  row: number,
  view: { top: number; height: number },
  rowHeight: number,
): number | undefined {
  const top = row * rowHeight;
  if (top < view.top) return top;
  if (top + rowHeight > view.top + view.height) return top + rowHeight - view.height;
  return undefined;
}
