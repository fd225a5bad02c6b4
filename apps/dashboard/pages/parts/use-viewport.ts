import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** What is seen of a scrolling box, in pixels. */
export interface Viewport {
  top: number;
  height: number;
}

/** Follows the scrolling and the size of a box. `onScroll` is told of each scrolling. */
export function useViewport(box: RefObject<HTMLElement | null>, onScroll: (top: number) => void): Viewport {
  const [view, setView] = useState<Viewport>({ top: 0, height: 600 });
  const told = useRef(onScroll);
  told.current = onScroll;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    function read(): void {
      if (element) setView({ top: element.scrollTop, height: element.clientHeight });
    }
    function onMove(): void {
      read();
      told.current(element?.scrollTop ?? 0);
    }
    const sizes = new ResizeObserver(read);
    sizes.observe(element);
    element.addEventListener('scroll', onMove, { passive: true });
    read();
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', onMove);
    };
  }, []);
  return view;
}
