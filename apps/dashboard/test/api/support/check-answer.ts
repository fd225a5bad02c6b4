import type { LightMyRequestResponse } from 'fastify';
import { expect } from 'vitest';
import { faultSchema } from '../../../src/api/contract/fields.ts';
import type { ApiPorts } from '../../../src/api/ports.ts';
import { commonFaults } from '../../../src/api/openapi.ts';
import { isBytes, type ApiRoute } from '../../../src/api/route.ts';
import { apiRoutes } from '../../../src/api/routes.ts';

/** What no handler is called with: the table of routes alone is read. */
const nothing = () => Promise.reject(new Error('nobody asks'));
const NO_PORTS: ApiPorts = {
  lookups: undefined,
  rebuilds: undefined,
  queues: { overview: nothing },
  activity: { minutes: nothing, now: nothing, processes: nothing },
  canary: { newest: nothing },
  requests: { send: nothing, starts: nothing, start: nothing, withdraw: nothing },
  storage: {
    read: () => {
      throw new Error('nobody reads');
    },
  },
  journalHours: 1,
};

/** All routes of the API. */
export const ROUTES: readonly ApiRoute[] = apiRoutes(NO_PORTS);

/** Holds an answer against the schema that its route declares for its status: it must have that, and no more. */
export function checkAnswer(method: string, url: string, answer: LightMyRequestResponse): void {
  const [path = ''] = url.split('?');
  const route = ROUTES.find((one) => one.method === method && patternOf(one).test(path));
  const { statusCode } = answer;
  if (route === undefined) return expect(statusCode).toBe(404);
  const own = route.faults[statusCode];
  if (statusCode < 400) {
    if (isBytes(route.answer)) return;
    expect([url, statusCode]).toEqual([url, route.status]);
    expect(route.answer.parse(answer.json())).toEqual(answer.json());
    return;
  }
  const isDeclared = statusCode in route.faults || statusCode in commonFaults(route);
  // A fault of the console's own is described, and no test means to see one.
  expect(isDeclared && statusCode !== 500 ? 'declared' : `${url}: ${statusCode}`).toBe('declared');
  expect((own?.schema ?? faultSchema).parse(answer.json())).toEqual(answer.json());
}

function patternOf({ path }: ApiRoute): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`);
}
