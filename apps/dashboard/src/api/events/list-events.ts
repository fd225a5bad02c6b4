import { eventFilterSchema, searchText, type EventPosition, type FoundEvent } from '@landline/store';
import { firstOf } from '../bounded.ts';
import { eventsPage, eventsTimedOut } from '../contract/events.ts';
import { limit } from '../contract/fields.ts';
import { cursorOf, writeCursor, type Place } from '../cursor.ts';
import { inTime } from '../deadline.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route } from '../route.ts';
import { searchPage } from '../search.ts';
import { isoOrNull } from '../shown-time.ts';
import { shownEvent } from './shown-event.ts';

/** GET /events: the newest first, by the filter words of the commands. */
export function listEvents(ports: Pick<ApiPorts, 'lookups'>) {
  return route({
    method: 'GET',
    path: '/events',
    summary: 'Lists events, the newest first. With text it searches in their bodies until the page is full.',
    query: (now) => eventFilterSchema(now).safeExtend({ cursor: cursorOf('events'), limit }),
    answer: eventsPage,
    faults: { 504: { description: 'The time is over; what was found until then is in it', schema: eventsTimedOut } },
    async handle({ query: { cursor, limit: most, ...filter }, signal }) {
      const { ledger } = lookupsOf(ports);
      const after = cursor && { receivedAt: cursor.at, id: cursor.id };
      const { text } = filter;
      if (text !== undefined) {
        const steps = searchText(ledger, { filter: { ...filter, text }, after, signal });
        const page = await searchPage({ steps, limit: most, signal, positionOf, describe: describeFrom(cursor) });
        return shownPage(page.found, page.next);
      }
      const nothing = () => describeFrom(cursor)([], 0, undefined);
      // One more than is shown tells whether there is another page.
      const found = await inTime(ledger.list(filter, { order: 'newest', after, limit: most + 1 }), signal, nothing);
      const shown = found.slice(0, most);
      const last = shown.at(-1);
      return shownPage(shown, found.length > most && last ? positionOf(last) : undefined);
    },
  });
}

/** A page of what was found, and where the list goes on. A page that would be too large ends before. */
function shownPage(found: readonly FoundEvent[], next: EventPosition | undefined) {
  const items = firstOf(found, shownEvent);
  const last = items.length < found.length ? found[items.length - 1] : next;
  return { items, next: last ? write(last) : null };
}

function positionOf({ receivedAt, id }: FoundEvent): EventPosition {
  return { receivedAt, id };
}

function write({ receivedAt, id }: EventPosition): string {
  return writeCursor('events', { at: receivedAt, id });
}

/** What is told where the time is over; the next page begins behind what was looked at. */
function describeFrom(cursor: Place | undefined) {
  return (found: FoundEvent[], looked: number, position: EventPosition | undefined) => ({
    looked,
    back_to: isoOrNull(position?.receivedAt ?? null),
    ...(position ? shownPage(found, position) : { items: [], next: cursor ? writeCursor('events', cursor) : null }),
  });
}
