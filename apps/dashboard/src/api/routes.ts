import { z } from 'zod';
import { getConversation } from './conversations/conversation.ts';
import { listConversations } from './conversations/list-conversations.ts';
import { partRoutes } from './conversations/parts.ts';
import { getRecording } from './conversations/recording.ts';
import { getEventBody } from './events/event-body.ts';
import { getEvent } from './events/event.ts';
import { listEvents } from './events/list-events.ts';
import { failureRoutes } from './failures.ts';
import { openApi } from './openapi.ts';
import { operationRoutes } from './operations/operation-routes.ts';
import { overviewRoute } from './overview/overview.ts';
import type { ApiPorts } from './ports.ts';
import { providerRoute } from './provider.ts';
import { rejectedRoutes } from './rejected.ts';
import { route, type ApiRoute } from './route.ts';
import { sessionRoute } from './session.ts';

/** All routes of the API: what is registered, and what OpenAPI describes. */
export function apiRoutes(ports: ApiPorts): ApiRoute[] {
  const routes = [
    sessionRoute(),
    overviewRoute(ports),
    listEvents(ports),
    getEvent(ports),
    getEventBody(ports),
    listConversations(ports),
    getConversation(ports),
    ...partRoutes(ports),
    getRecording(ports),
    ...failureRoutes(ports),
    ...rejectedRoutes(ports),
    ...operationRoutes(ports),
    providerRoute(ports),
  ];
  return [...routes, describeRoutes(routes)];
}

/** GET /openapi.json, which describes itself as well. */
function describeRoutes(others: readonly ApiRoute[]): ApiRoute {
  const own: ApiRoute = route({
    method: 'GET',
    path: '/openapi.json',
    summary: 'Describes this API in OpenAPI 3.1.',
    answer: z.record(z.string(), z.unknown()),
    handle: async () => document(),
  });
  let made: Record<string, unknown> | undefined;
  const document = () => (made ??= openApi([...others, own]));
  return own;
}
