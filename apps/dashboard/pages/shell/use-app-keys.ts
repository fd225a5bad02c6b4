import { useLocation } from 'preact-iso/router';
import { useKeys, type Bindings } from '../keys/use-keys.ts';
import { PLACES } from './places.ts';

/** The keys that hold on every page. */
export function useAppKeys(showHelp: () => void): void {
  const { route } = useLocation();
  const goes = PLACES.map(({ href, name, key }) => [`g ${key}`, { does: `Go to ${name}`, run: () => route(href) }]);
  const keys: Bindings = { '?': { does: 'Show the keys', run: showHelp }, ...Object.fromEntries(goes) };
  useKeys(keys);
}
