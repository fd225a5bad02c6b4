import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useApi } from '../api/use-api.ts';
import { PLACES, type Place } from './places.ts';

/** Whether a place is the one that is shown. */
function isAt(path: string, href: string): boolean {
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
}

/** A sign of 16 pixels, drawn with lines. */
function Icon({ path }: { path: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

function PlaceLink({ place, path }: { place: Place; path: string }) {
  const current = isAt(path, place.href);
  return (
    <li>
      <a href={place.href} aria-current={current ? 'page' : undefined} title={`g then ${place.key}`}>
        <Icon path={place.icon} />
        {place.name}
      </a>
    </li>
  );
}

/** The navigation: a column on the left, and on narrow screens a line at the top with a menu. */
export function Navigation({ onHelp }: { onHelp: () => void }) {
  const { path, url } = useLocation();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [url]);
  return (
    <header class={`side${isOpen ? ' side-open' : ''}`}>
      <div class="brand">
        <a href="/" class="brand-name">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" />
            <path d="M5 17h5l3-9 6 16 3-7h5" />
          </svg>
          Landline
        </a>
        <button
          type="button"
          class="button menu-button"
          aria-expanded={isOpen}
          aria-controls="places"
          onClick={() => setOpen(!isOpen)}
        >
          Menu
        </button>
      </div>
      <div id="places" class="side-body">
        <nav aria-label="Main">
          <ul>
            {PLACES.map((place) => (
              <PlaceLink key={place.href} place={place} path={path} />
            ))}
            <li class="nav-apart">
              <a href="/queues">
                <Icon path="M2 3h12v3H2zM2 8h12v2H2zM2 12h12v1.5H2z" />
                Queues
              </a>
            </li>
          </ul>
        </nav>
        <Foot onHelp={onHelp} />
      </div>
    </header>
  );
}

/** The session is asked for now and then: where the dashboard was away at first, its user shows later. */
const SESSION_MS = 60_000;

/** Who is logged in, the way out, and the keys. */
function Foot({ onHelp }: { onHelp: () => void }) {
  const { data } = useApi<{ user: string }>('/session', { everyMs: SESSION_MS });
  return (
    <div class="side-foot">
      <button type="button" class="link-button" onClick={onHelp}>
        Keyboard <kbd>?</kbd>
      </button>
      <span class="side-user">
        <span class="side-user-name" title={data?.user}>
          {data?.user ?? ' '}
        </span>
        <a href="/sign-out">Sign out</a>
      </span>
    </div>
  );
}
