import { z } from 'zod';
import { eventDetailSchema } from '../contract/events.ts';
import { inTime } from '../deadline.ts';
import { missing } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route } from '../route.ts';
import { shownDetail } from './shown-event.ts';

/** The id of an event in a path. */
export const eventParams = z.object({ id: z.guid({ error: 'id must be the uuid of an event' }) });

/** GET /events/:id. */
export function getEvent(ports: Pick<ApiPorts, 'lookups'>) {
  return route({
    method: 'GET',
    path: '/events/:id',
    summary: 'Shows one event of the ledger, without its body.',
    params: eventParams,
    answer: eventDetailSchema,
    faults: { 404: { description: 'event_missing' } },
    handle: async ({ params, signal }) => {
      const event = await inTime(lookupsOf(ports).eventBeginning(params.id, 0), signal);
      return shownDetail(event ?? eventMissing(params.id));
    },
  });
}

/** @throws ApiFault `event_missing` */
export function eventMissing(id: string): never {
  throw missing('event_missing', `There is no event ${id} in the ledger.`);
}
