import type { ChatRow } from './chat-rows.ts';

/** When a turn begins to be heard. */
export interface Cue {
  key: string;
  seconds: number;
}

/** Lists the turns that a recording can follow, in order. A turn without a time is none of them. */
export function cuesOf(rows: readonly ChatRow[]): Cue[] {
  const cues: Cue[] = [];
  let latest = 0;
  for (const { kind, key, seconds } of rows) {
    if (kind !== 'turn' || seconds === null) continue;
    // Senders round: a turn that claims to begin before the one above it begins with it.
    latest = Math.max(latest, seconds);
    cues.push({ key, seconds: latest });
  }
  return cues;
}

/** Returns the key of the turn that is heard at `seconds` of the recording; null before the first. */
export function currentTurn(cues: readonly Cue[], seconds: number): string | null {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cues[middle]?.seconds ?? Infinity) <= seconds) low = middle + 1;
    else high = middle;
  }
  return cues[low - 1]?.key ?? null;
}
