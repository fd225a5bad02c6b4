import { sessionSchema } from './contract/session.ts';
import { route, type ApiRoute } from './route.ts';
import { isoOrNull } from './shown-time.ts';

/** GET /session: who asks. */
export function sessionRoute(): ApiRoute {
  return route({
    method: 'GET',
    path: '/session',
    summary: 'Tells who asks, and when the session ends.',
    answer: sessionSchema,
    handle: async ({ visitor }) => ({ user: visitor.user, ends_at: isoOrNull(visitor.endsAt) }),
  });
}
