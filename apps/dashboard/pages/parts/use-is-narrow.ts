import { useEffect, useState } from 'preact/hooks';

/** Below this width columns stand below each other, and a detail covers its list. style/*.css have the same width. */
const NARROW = '(max-width: 760px)';

/** Whether the screen is narrow. */
export function useIsNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    function onChange(): void {
      setNarrow(query.matches);
    }
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return isNarrow;
}
