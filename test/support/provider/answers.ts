/** A request, read. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Parsed; undefined where there is none. */
  body: unknown;
}

/**
 * How an answer is sent. `cut`: half of it, then the connection breaks. `stalled`: half of it, then nothing more. `slow`: all of it, after a pause.
 */
export type Manner = { kind: 'cut' | 'stalled' } | { kind: 'slow'; pauseMs: number };

/** What the stand-in answers: JSON, or bytes of another type. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body: unknown;
  /** Sent as they are, instead of the body. */
  bytes?: Buffer;
  /** How it is sent; undefined: whole, and at once. */
  manner?: Manner;
}

/** Answers 200. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Answers an error as the provider has it: a status for programs, a message for people. */
export function refusal(status: number, word: string, message: string): Answer {
  return { status, body: { detail: { status: word, message } } };
}

/** Answers 401 to a key that is none. */
export const invalidKey = (): Answer => refusal(401, 'invalid_api_key', 'Invalid API key');

/** Answers 401 to a key that may not do this. */
export const missingPermission = (permission: string): Answer =>
  refusal(
    401,
    'missing_permissions',
    `The API key you used is missing the permission ${permission} to execute this operation.`,
  );

/** Answers 404. */
export const notFound = (what: string, id: string): Answer =>
  refusal(404, `${what}_not_found`, `${what} with id ${id} was not found.`);

/** Answers 422, as FastAPI prints what it does not take. */
export function invalid(loc: readonly string[], msg: string, type = 'value_error'): Answer {
  return { status: 422, body: { detail: [{ loc, msg, type }] } };
}
