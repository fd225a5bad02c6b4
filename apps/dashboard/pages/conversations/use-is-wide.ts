import { useEffect, useState } from 'preact/hooks';

/** From this width on the chat and what is about it stand side by side. conversations.css has the same width. */
const WIDE = '(min-width: 1080px)';

/** Whether the screen has room for two columns. */
export function useIsWide(): boolean {
  const [isWide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const query = matchMedia(WIDE);
    const onChange = (): void => setWide(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return isWide;
}
