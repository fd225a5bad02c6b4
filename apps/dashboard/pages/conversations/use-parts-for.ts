import { useEffect } from 'preact/hooks';
import type { ChatRow } from './chat-rows.ts';
import type { Cue } from './current-turn.ts';
import { turnsWith } from './found-text.ts';
import { isNearEnd } from './said-parts.ts';
import type { Player } from './use-player.ts';
import type { SaidSoFar } from './use-said.ts';

/** Reads on as far as the turn that is heard, and marks it when it has come. */
export function usePartsForPlayer({ audio, onTime }: Player, cues: readonly Cue[], said: SaidSoFar): void {
  const { hasMore, isLoading, moreByItself } = said;
  useEffect(() => {
    const { current: element } = audio;
    if (element && element.currentTime > 0) onTime();
  }, [cues]);
  useEffect(() => {
    if (!hasMore || isLoading) return undefined;
    const ended = new AbortController();
    function check(): void {
      const { current: element } = audio;
      if (element && isNearEnd(cues.at(-1)?.seconds ?? 0, element.currentTime)) moreByItself();
    }
    check();
    // Events of media do not bubble, and the player may choose another recording.
    for (const type of ['timeupdate', 'seeked', 'seeking']) {
      document.addEventListener(type, check, { capture: true, signal: ended.signal });
    }
    return () => ended.abort();
  }, [cues, hasMore, isLoading, said.error]);
}

/** Reads on until a turn has what the search looked for: the search has found it in one of them. */
export function usePartsForSearch(rows: readonly ChatRow[], wanted: string, said: SaidSoFar): void {
  const { hasMore, isLoading, moreByItself } = said;
  useEffect(() => {
    if (wanted !== '' && hasMore && !isLoading && turnsWith(rows, wanted).length === 0) moreByItself();
  }, [rows, wanted, hasMore, isLoading]);
}
