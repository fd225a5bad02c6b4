import { conversationFilterSchema, needsSearch, type FoundConversation, type StartedPosition } from '@landline/store';
import { firstOf } from '../bounded.ts';
import { conversationsPage, conversationsTimedOut } from '../contract/conversations.ts';
import { limit } from '../contract/fields.ts';
import { cursorOf, writeCursor, type Place } from '../cursor.ts';
import { inTime } from '../deadline.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route } from '../route.ts';
import { searchPage } from '../search.ts';
import { isoOrNull } from '../shown-time.ts';
import { shownConversation } from './shown-conversation.ts';

/** GET /conversations: the newest first. */
export function listConversations(ports: Pick<ApiPorts, 'lookups'>) {
  return route({
    method: 'GET',
    path: '/conversations',
    summary: 'Lists conversations, the newest first. It searches until the page is full: with text in what was said.',
    query: (now) => conversationFilterSchema(now).safeExtend({ cursor: cursorOf('conversations'), limit }),
    answer: conversationsPage,
    faults: {
      504: { description: 'The time is over; what was found until then is in it', schema: conversationsTimedOut },
    },
    async handle({ query: { cursor, limit: most, ...filter }, signal }) {
      const { conversations } = lookupsOf(ports);
      const after = cursor && { startedAt: cursor.at, id: cursor.id };
      if (needsSearch(filter)) {
        const steps = conversations.search(filter, { after, signal });
        const page = await searchPage({ steps, limit: most, signal, positionOf, describe: describeFrom(cursor) });
        return shownPage(page.found, page.next);
      }
      const nothing = () => describeFrom(cursor)([], 0, undefined);
      // One more than is shown tells whether there is another page.
      const found = await inTime(conversations.list(filter, { after, limit: most + 1 }), signal, nothing);
      const shown = found.slice(0, most);
      const last = shown.at(-1);
      return shownPage(shown, found.length > most && last ? positionOf(last) : undefined);
    },
  });
}

/** A page of what was found, and where the list goes on. A page that would be too large ends before. */
function shownPage(found: readonly FoundConversation[], next: StartedPosition | undefined) {
  const items = firstOf(found, shownConversation);
  const last = items.length < found.length ? found[items.length - 1] : next;
  return { items, next: last ? write(last) : null };
}

function positionOf({ startedAt, id }: FoundConversation): StartedPosition {
  return { startedAt, id };
}

function write({ startedAt, id }: StartedPosition): string {
  return writeCursor('conversations', { at: startedAt, id });
}

/** What is told where the time is over; the next page begins behind what was looked at. */
function describeFrom(cursor: Place | undefined) {
  return (found: FoundConversation[], looked: number, position: StartedPosition | undefined) => ({
    looked,
    back_to: isoOrNull(position?.startedAt ?? null),
    ...(position
      ? shownPage(found, position)
      : { items: [], next: cursor ? writeCursor('conversations', cursor) : null }),
  });
}
