import type { RejectedCause, RejectedListing } from '@landline/store';
import { CAUSES, isCause } from '@landline/webhook/causes';
import { time } from '@landline/store/filter-words';
import { z } from 'zod';
import { limit } from './contract/fields.ts';
import { rejectedDetailSchema, rejectedPage, type CauseItem, type RejectedItem } from './contract/rejected.ts';
import { cursorOf, writeCursor } from './cursor.ts';
import { inTime } from './deadline.ts';
import { missing } from './faults.ts';
import { lookupsOf, type ApiPorts } from './ports.ts';
import { route, type ApiRoute } from './route.ts';
import { iso, isoOrNull } from './shown-time.ts';

/** How many bytes of a body are shown. */
const MOST_SHOWN = 65_536;

const idError = 'id must be the uuid of a refused request';

/**
 * Makes the schema of a filter of refused requests, in the words of `landline rejected`.
 *
 * @param now  Unix ms, for durations such as `2h`.
 */
export function rejectedFilterSchema(now: number) {
  const cause = `cause takes one of: ${Object.keys(CAUSES).join(', ')}`;
  return z
    .strictObject({
      since: time('since', now),
      until: time('until', now),
      cause: z.string({ error: cause }).refine(isCause, { error: cause }).optional(),
    })
    .refine(({ since = 0, until = Infinity }) => since < until, {
      error: 'until must be later than since',
      path: ['until'],
    });
}

/** The routes of refused requests. */
export function rejectedRoutes(ports: Pick<ApiPorts, 'lookups'>): ApiRoute[] {
  return [listRejected(ports), getRejected(ports)];
}

function listRejected(ports: Pick<ApiPorts, 'lookups'>): ApiRoute {
  return route({
    method: 'GET',
    path: '/rejected',
    summary: 'Lists requests that were answered 401, the newest first, and counts them by cause.',
    query: (now) => rejectedFilterSchema(now).safeExtend({ cursor: cursorOf('rejected'), limit }),
    answer: rejectedPage,
    async handle({ query: { cursor, limit: most, cause, ...span }, signal }) {
      const { rejected } = lookupsOf(ports);
      const after = cursor && { receivedAt: cursor.at, id: cursor.id };
      const [found, causes] = await inTime(
        // All causes, so that another one can be chosen.
        Promise.all([rejected.list({ ...span, cause }, { after, limit: most + 1 }), rejected.causes(span)]),
        signal,
      );
      const items = found.slice(0, most);
      const last = items.at(-1);
      const next = found.length > most && last ? writeCursor('rejected', { at: last.receivedAt, id: last.id }) : null;
      return { items: items.map((row) => shownRejected(row)), next, causes: causes.map(shownCause) };
    },
  });
}

function getRejected(ports: Pick<ApiPorts, 'lookups'>): ApiRoute {
  return route({
    method: 'GET',
    path: '/rejected/:id',
    summary: 'Shows one refused request with its diagnosis and the beginning of its body.',
    params: z.object({ id: z.guid({ error: idError }) }),
    answer: rejectedDetailSchema,
    faults: { 404: { description: 'rejected_missing' } },
    async handle({ params: { id }, signal }) {
      const row = await inTime(lookupsOf(ports).rejected.get(id), signal);
      if (row === undefined) throw missing('rejected_missing', `There is no refused request ${id}.`);
      const { body, ...listed } = row;
      return {
        ...shownRejected({ ...listed, keptBytes: body?.length ?? null }, Infinity),
        body_text: body && new TextDecoder().decode(body.subarray(0, MOST_SHOWN)),
      };
    },
  });
}

/** How many headers lists show of a request: a sender may have sent thousands. */
const LISTED_HEADERS = 30;

function shownRejected(row: RejectedListing, mostHeaders = LISTED_HEADERS): RejectedItem {
  return {
    id: row.id,
    received_at: iso(row.receivedAt),
    code: row.code,
    cause: row.cause,
    advice: row.advice,
    header: row.header === null ? null : [row.header].flat().join('\n'),
    headers: Object.fromEntries(Object.entries(row.headers).slice(0, mostHeaders)),
    body_bytes: row.bodyBytes,
    kept_bytes: row.keptBytes,
    sender: row.sender,
    readmitted_at: isoOrNull(row.readmittedAt),
  };
}

function shownCause({ cause, count, readmitted, first, last }: RejectedCause): CauseItem {
  return { cause, count, readmitted, first_at: iso(first), last_at: iso(last) };
}
