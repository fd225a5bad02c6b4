import { readRetryAfter } from './pause.ts';

/** Where the API is: the contract's paths are below it. */
const BASE = '/api/v1';

/** How long a request may take. The longest search of the API ends before. */
const TIMEOUT_MS = 60_000;

/** What an answer says of a fault. */
interface FaultWords {
  code: string;
  message: string;
  retryAfterMs?: number | undefined;
}

/** An answer that is no success. `status` is 0 where no answer came at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The answer as it came: that of a 504 has what was found until then. */
  readonly body: unknown;
  /** How long the API wants not to be asked, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, fault: FaultWords, body?: unknown) {
    super(fault.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = fault.code;
    this.body = body;
    this.retryAfterMs = fault.retryAfterMs;
  }
}

/** Who is told of each request whether it was answered. */
export interface RequestWatcher {
  noteAnswer: (status: number) => void;
  noteNoAnswer: () => void;
}

let watcher: RequestWatcher | undefined;

/** Tells `next` of each request from now on. */
export function watchRequests(next: RequestWatcher): void {
  watcher = next;
}

/** Options of a request. */
interface Asking {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** The fault that an answer tells, or what can be said where it tells none, as of a proxy. */
function faultOf(status: number, body: unknown): { code: string; message: string } {
  if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string') {
    const code = 'code' in body && typeof body.code === 'string' ? body.code : 'unknown';
    return { code, message: body.message };
  }
  return { code: 'unknown', message: `The dashboard answered ${status} and gave no reason.` };
}

/** Reads the answer of a fault; undefined where it is no JSON. */
function readFault(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer as it came. */
export interface TextAnswer {
  text: string;
  status: number;
  headers: Headers;
}

/** Asks the API, and notes whether it was reached. @throws ApiError; AbortError where the caller's signal ended it. */
async function exchange(path: string, init: RequestInit, asking: Asking): Promise<TextAnswer> {
  const { signal, timeoutMs = TIMEOUT_MS } = asking;
  const limit = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(BASE + path, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    watcher?.noteNoAnswer();
    throw new ApiError(0, { code: 'no_answer', message: 'The dashboard does not answer.' });
  }
  watcher?.noteAnswer(response.status);
  if (!response.ok) {
    const fault = readFault(text);
    const retryAfterMs = readRetryAfter(response.headers.get('retry-after'), Date.now());
    throw new ApiError(response.status, { ...faultOf(response.status, fault), retryAfterMs }, fault);
  }
  return { text, status: response.status, headers: response.headers };
}

/** Asks the API, and reads its answer as JSON. */
async function ask<T>(path: string, init: RequestInit, asking: Asking): Promise<T> {
  const { text, status } = await exchange(path, init, asking);
  try {
    // The API's schemas say what an answer is: it is not checked twice.
    const body: T = JSON.parse(text);
    return body;
  } catch {
    throw new ApiError(status, { code: 'no_json', message: 'The answer of the dashboard is no JSON.' });
  }
}

/** Sends a body as JSON. */
function sending(method: 'POST' | 'PUT', body: unknown): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** GET of a path below /api/v1. The API's schema is what makes the answer a `T`. */
export async function get<T>(path: string, asking: Asking = {}): Promise<T> {
  return ask<T>(path, { headers: { accept: 'application/json' } }, asking);
}

/** GET of a path below /api/v1 whose answer is a text, such as the body of an event. */
export async function getText(path: string, asking: Asking = {}): Promise<TextAnswer> {
  return exchange(path, {}, asking);
}

/** POST of a body to a path below /api/v1. */
export async function post<T>(path: string, body: unknown, asking: Asking = {}): Promise<T> {
  return ask<T>(path, sending('POST', body), asking);
}

/** PUT of a body to a path below /api/v1. */
export async function put<T>(path: string, body: unknown, asking: Asking = {}): Promise<T> {
  return ask<T>(path, sending('PUT', body), asking);
}

/** What was caught, as an ApiError: anything else is a defect of the pages, and said as such. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, { code: 'defect', message: error instanceof Error ? error.message : String(error) });
}
