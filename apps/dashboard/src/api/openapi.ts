import { z } from 'zod';
import { faultSchema } from './contract/fields.ts';
import { isBytes, type ApiRoute } from './route.ts';

/** Statuses that any route may answer. */
const ANY_FAULT = {
  403: 'cross_site: the page of another site asks',
  401: 'unauthorized: without the login, or when the session has ended',
  429: 'too_many_logins: ten failed logins within a minute',
  500: 'internal: the dashboard has a fault of its own; its log has more',
  503: 'unavailable: Postgres or Redis does not answer; the message says which',
  504: 'timed_out: the time for the answer is over',
};

/** Statuses that any route may answer that changes something or takes a body. */
const SENDING_FAULT = {
  413: 'invalid: the body has more than 64 KiB',
  415: 'invalid: the body has another type than application/json',
};

type Json = Record<string, unknown>;

/** Makes the description of the API in OpenAPI 3.1, of the same schemas that check it. */
export function openApi(routes: readonly ApiRoute[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describe(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Landline',
      version: '1',
      description:
        'The API of the console. Times are ISO 8601 in UTC. Every answer that is no success has a code and a message that says what to do.',
    },
    servers: [{ url: '/api/v1' }],
    security: [{ login: [] }, { token: [] }],
    components: {
      securitySchemes: {
        login: { type: 'http', scheme: 'basic', description: 'DASHBOARD_USER and DASHBOARD_PASSWORD' },
        token: { type: 'http', scheme: 'bearer', description: 'API_TOKEN' },
      },
      schemas: { Fault: jsonSchema(faultSchema, 'output') },
    },
    paths,
  };
}

function describe(route: ApiRoute): Json {
  return {
    summary: route.summary,
    operationId: operationId(route),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query?.(0), 'query')],
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } },
    }),
    responses: responses(route),
  };
}

function operationId({ method, path }: ApiRoute): string {
  return `${method.toLowerCase()}${path.replace(/[^a-z0-9]+(\w)?/gi, (_, letter: string = '') => letter.toUpperCase())}`;
}

/** What each route may answer beside its success, and beside what it declares itself. */
export function commonFaults({ method, params, query, body }: ApiRoute): Record<number, string> {
  const hasInput = params !== undefined || query !== undefined || body !== undefined;
  return {
    ...ANY_FAULT,
    ...(method !== 'GET' && SENDING_FAULT),
    // A query that no word may be in is refused as well.
    400: hasInput ? 'invalid: the message names each word that cannot be meant' : 'invalid: this path takes no words',
  };
}

function responses(route: ApiRoute): Json {
  const { status, answer, faults } = route;
  const success = isBytes(answer)
    ? { [answer.contentType]: {} }
    : { 'application/json': { schema: jsonSchema(answer, 'output') } };
  const common = Object.entries(commonFaults(route)).map(([code, description]) => [
    code,
    { description, content: fault() },
  ]);
  const own = Object.entries(faults).map(([code, { description, schema }]) => [
    code,
    { description, content: Number(code) < 400 ? success : fault(schema) },
  ]);
  return { [status]: { description: 'Success', content: success }, ...Object.fromEntries([...common, ...own]) };
}

function fault(schema?: z.ZodType): Json {
  return {
    'application/json': { schema: schema ? jsonSchema(schema, 'output') : { $ref: '#/components/schemas/Fault' } },
  };
}

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = shapeSchema.parse(jsonSchema(schema, 'input'));
  return Object.entries(properties).map(([name, { description, ...of }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof description === 'string' && { description }),
    schema: of,
  }));
}

const shapeSchema = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  required: z.array(z.string()).optional(),
});

/**
 * Makes the JSON Schema of a schema, to stand inside the document. The one that is recursive is "any JSON", which JSON Schema writes as an
 * empty schema.
 */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, $defs: __, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const text = JSON.stringify(made, (_key, value: unknown) => (isRecursive(value) ? {} : value));
  return recordSchema.parse(JSON.parse(text));
}

const recordSchema = z.record(z.string(), z.unknown());

function isRecursive(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$ref' in value;
}
