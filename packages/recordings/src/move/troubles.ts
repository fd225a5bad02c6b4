/** The troubles of bodies that wait: each is reported once, however many bodies have it and however often they are tried. */
export interface Troubles {
  /** Notes why an attempt at a body failed. Reports it, unless a body has that trouble already. */
  met(path: string, error: unknown): void;
  /** Notes that a body has no trouble any more: it got through, or is given up. */
  over(path: string): void;
}

/**
 * Makes a list of troubles, of which there is none.
 *
 * @param report  Called with each new trouble: what its error says, and the error.
 */
export function createTroubles(report: (reason: string, cause: unknown) => void): Troubles {
  /** The trouble of each body, by the path of its file, and how many bodies have each trouble. */
  const reasons = new Map<string, string>();
  const counts = new Map<string, number>();

  function over(path: string): void {
    const reason = reasons.get(path);
    if (reason === undefined) return;
    reasons.delete(path);
    const left = (counts.get(reason) ?? 0) - 1;
    if (left > 0) counts.set(reason, left);
    else counts.delete(reason);
  }

  return {
    over,
    met(path, error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reasons.get(path) === reason) return;
      over(path);
      const count = counts.get(reason) ?? 0;
      reasons.set(path, reason);
      counts.set(reason, count + 1);
      if (count === 0) report(reason, error);
    },
  };
}
