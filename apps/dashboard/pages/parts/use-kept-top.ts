import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { keepTop, takeTop } from './kept-top.ts';

/** Goes back to where the list was scrolled when one left it, as soon as it has as many rows. Scrolling by hand ends that. */
export function useKeptTop(box: RefObject<HTMLElement | null>, list: string | undefined, rows: number): void {
  const wanted = useRef(0);
  const given = useRef(0);
  useLayoutEffect(() => {
    if (list !== undefined) wanted.current = takeTop(sessionStorage, list);
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    // While the next page loads, this one is drawn once more with the next one's address: that is no list that one has seen.
    if (!element || list?.split('?')[0] !== location.pathname) return undefined;
    return () => keepTop(sessionStorage, list, element.scrollTop);
  }, [list]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || wanted.current === 0) return;
    const isTouched = Math.abs(element.scrollTop - given.current) > 1;
    if (!isTouched) element.scrollTop = wanted.current;
    given.current = element.scrollTop;
    if (isTouched || given.current >= wanted.current - 1) wanted.current = 0;
  }, [rows]);
}
