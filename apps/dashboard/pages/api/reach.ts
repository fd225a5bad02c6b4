import { signal } from '@preact/signals';

/** Since when no request was answered, unix ms; null while the API answers. */
export const unreachedSince = signal<number | null>(null);

/** Whether the API answered 401: the login has ended, and the page must be loaded anew. */
export const sessionEnded = signal(false);

/** An answer came. One of 401 says that the session has ended; any other one, that there is one (again, as of another tab). */
export function noteAnswer(status: number): void {
  unreachedSince.value = null;
  sessionEnded.value = status === 401;
}

/** No answer came: the first of a row of failures says since when. */
export function noteNoAnswer(): void {
  unreachedSince.value ??= Date.now();
}
