import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Visitor } from '../login/guard.ts';
import { describeIssues, invalid } from './faults.ts';

/** What a handler gets. */
export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  visitor: Visitor;
  /** Aborted when the time for the answer is over, and when nobody waits for it any more. */
  signal: AbortSignal;
  /** Aborted only when nobody waits for the answer any more. */
  gone: AbortSignal;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** An answer that is no JSON: its content type. */
export interface Bytes {
  contentType: string;
}

/** What answers there are beside the success, and beside those that every route has. */
export type Faults = Readonly<Record<number, { description: string; schema?: z.ZodType }>>;

/** A route as its resource defines it. */
export interface RouteDefinition<Params, Query, Body, Answer> {
  method: 'GET' | 'PUT' | 'POST';
  /** Below /api/v1. */
  path: string;
  summary: string;
  params?: z.ZodType<Params>;
  /** Made for each request: durations such as `2h` are before now, in unix ms. */
  query?: (now: number) => z.ZodType<Query>;
  body?: z.ZodType<Body>;
  /** The status of the success; 200 by default. */
  status?: 200 | 202;
  answer: z.ZodType<unknown, Answer> | Bytes;
  faults?: Faults;
  /** Answers the body of the success, or a reply that it has sent. @throws ApiFault, or what `faultOf` reads */
  handle: (call: Call<Params, Query, Body>) => Promise<Answer | FastifyReply>;
}

/** A route of the API: both its registration and its description are made of it. */
export interface ApiRoute {
  method: 'GET' | 'PUT' | 'POST';
  path: string;
  summary: string;
  params: z.ZodType | undefined;
  query: ((now: number) => z.ZodType) | undefined;
  body: z.ZodType | undefined;
  status: 200 | 202;
  answer: z.ZodType | Bytes;
  faults: Faults;
  /** Checks a request and answers it. */
  run: (call: Omit<Call<unknown, unknown, unknown>, 'params' | 'query' | 'body'>) => Promise<unknown>;
}

/** Makes a route. What a request says is checked before its handler runs. */
export function route<Params = undefined, Query = undefined, Body = undefined, Answer = unknown>(
  definition: RouteDefinition<Params, Query, Body, Answer>,
): ApiRoute {
  const { method, path, summary, params, query, body, status = 200, answer, faults = {}, handle } = definition;
  return {
    method,
    path,
    summary,
    params,
    query,
    body,
    status,
    answer,
    faults,
    async run({ request, ...call }) {
      const given = {
        params: read(params, request.params),
        query: read(query?.(Date.now()), { ...asRecord(request.query) }, NO_WORDS),
        body: read(body, request.body),
      };
      return handle({ ...call, ...given, request });
    },
  };
}

const NO_WORDS = 'This path takes no words behind a question mark.';

function asRecord(query: unknown): Record<string, unknown> {
  return typeof query === 'object' && query !== null ? Object.fromEntries(Object.entries(query)) : {};
}

/** @throws ApiFault `invalid`, whose message names each word */
function read<T>(schema: z.ZodType<T> | undefined, value: unknown, nothing?: string): T {
  if (schema === undefined) {
    if (nothing !== undefined && Object.keys(asRecord(value)).length > 0) throw invalid(nothing);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- T is undefined then: what a route has no schema for its handler does not see
    return undefined as T;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(describeIssues(parsed.error));
  return parsed.data;
}

/** Whether an answer is bytes. */
export function isBytes(answer: z.ZodType | Bytes): answer is Bytes {
  return 'contentType' in answer;
}
