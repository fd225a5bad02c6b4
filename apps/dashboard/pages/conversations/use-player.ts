import type { RefObject } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { currentTurn, type Cue } from './current-turn.ts';

/** Keys that scroll a page. */
const SCROLLING = new Set(['PageUp', 'PageDown', 'Home', 'End', 'ArrowUp', 'ArrowDown']);

export interface Player {
  audio: RefObject<HTMLAudioElement | null>;
  /** The turn that is heard; null before the first, and until somebody plays. */
  current: string | null;
  isFollowing: boolean;
  follow: () => void;
  /** Stops following: somebody moves by hand. */
  pause: () => void;
  /** Plays from a moment of the call. */
  seek: (seconds: number) => void;
  playOrPause: () => void;
  /** For the audio element. */
  onTime: () => void;
}

/** Follows a recording through the turns. `cues` are in order. */
export function usePlayer(cues: readonly Cue[]): Player {
  const audio = useRef<HTMLAudioElement>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [isFollowing, setFollowing] = useState(true);
  const follow = useCallback(() => setFollowing(true), []);
  const pause = useCallback(() => setFollowing(false), []);
  const onTime = useCallback(() => {
    const { current: element } = audio;
    if (element) setCurrent(currentTurn(cues, element.currentTime));
  }, [cues]);
  const seek = useCallback((seconds: number) => {
    const { current: element } = audio;
    if (!element) return;
    element.currentTime = seconds;
    setFollowing(true);
    // The browser refuses where the audio is gone; the element says so itself.
    void element.play().catch(() => undefined);
  }, []);
  const playOrPause = useCallback(() => {
    const { current: element } = audio;
    if (!element) return;
    if (element.paused) void element.play().catch(() => undefined);
    else element.pause();
  }, []);
  useHandMoves(isFollowing && current !== null, pause);
  return { audio, current, isFollowing, follow, pause, seek, playOrPause, onTime };
}

/** Calls `onMove` when somebody scrolls by wheel, finger, key or scroll bar. Scrolling by the page itself is none of these. */
function useHandMoves(isActive: boolean, onMove: () => void): void {
  useEffect(() => {
    if (!isActive) return undefined;
    const ended = new AbortController();
    const options = { signal: ended.signal, passive: true };
    const moved = (event: Event): void => {
      if (!isBesideChat(event.target)) onMove();
    };
    addEventListener('wheel', moved, options);
    addEventListener('touchmove', moved, options);
    addEventListener(
      'keydown',
      (event) => SCROLLING.has(event.key) && !isControl(event.target) && moved(event),
      options,
    );
    addEventListener('pointerdown', (event) => isScrollBar(event) && moved(event), options);
    return () => ended.abort();
  }, [isActive, onMove]);
}

/** The side column scrolls by itself: reading there is no move in the chat. */
function isBesideChat(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('.call-about, dialog') !== null;
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('audio, input, select, textarea, [role=tree]') !== null;
}

function isScrollBar({ target, offsetX, offsetY }: PointerEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return offsetX >= target.clientWidth || offsetY >= target.clientHeight;
}
