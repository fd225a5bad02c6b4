import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';

/** While it loads. It shows itself only after a moment, so that quick answers do not flicker. */
export function Loading({ what }: { what: string }) {
  return (
    <div class="state state-loading" role="status">
      <span class="state-bars" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <p>Loading {what}…</p>
    </div>
  );
}

/** There is nothing, and that is an answer. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state state-empty">
      <svg viewBox="0 0 48 24" width="48" height="24" aria-hidden="true">
        <path d="M2 12h44" />
      </svg>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Statuses that the same request gets again. */
const IN_VAIN: ReadonlySet<number> = new Set([400, 401, 404, 410]);

/** Loads the page anew: the browser then asks for the name and the password. */
export function SignIn() {
  return (
    // The router leaves links with a target to the browser.
    <a href={location.pathname + location.search} target="_top">
      Sign in again
    </a>
  );
}

/** It could not be read: why, and once more. Where the session has ended, the banner has the way back. */
export function Failed({ error, retry }: { error: ApiError; retry?: (() => void) | undefined }) {
  return (
    <div class="state state-failed" role="alert">
      <h2>{titleOf(error)}</h2>
      <p>{error.message}</p>
      {retry && !IN_VAIN.has(error.status) && (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What is shown could not be read anew: why, above what is older. */
export function Stale({ error, retry }: { error: ApiError; retry?: (() => void) | undefined }) {
  return (
    <div class="stale" role="status">
      <p>
        <strong>{titleOf(error)}.</strong> {error.message} What you see is older.
      </p>
      {retry && !IN_VAIN.has(error.status) && (
        <button type="button" class="button button-small" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What has failed, in a few words. The message says the rest. */
function titleOf({ status }: ApiError): string {
  if (status === 0) return 'No answer';
  if (status === 400) return 'This cannot be asked for';
  if (status === 401) return 'Your session has ended';
  if (status === 404) return 'Not found';
  if (status === 410) return 'Gone';
  if (status === 429) return 'Too many requests';
  if (status === 503) return 'Not available now';
  if (status === 504) return 'It took too long';
  return 'This did not work';
}
