import { wholeBody } from '@landline/operations';
import type { EventBeginning } from '@landline/store';
import { z } from 'zod';
import { inTime } from '../deadline.ts';
import { ApiFault } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route } from '../route.ts';
import { begunStream, type StreamSignals } from '../stream.ts';
import { eventMissing, eventParams } from './event.ts';

/** How many bytes of a body a page shows at most. */
const MOST_SHOWN = 65_536;

const limitError = `limit takes a whole number of bytes from 1 to ${MOST_SHOWN}`;

const bodyQuery = z.strictObject({
  limit: z
    .string({ error: limitError })
    .regex(/^\d{1,5}$/, { error: limitError })
    .transform(Number)
    .refine((bytes) => bytes >= 1 && bytes <= MOST_SHOWN, { error: limitError })
    .optional(),
});

/** GET /events/:id/body: the exact bytes that were received, or with `limit` the first of those that the ledger has, as text. */
export function getEventBody(ports: Pick<ApiPorts, 'lookups' | 'storage'>) {
  return route({
    method: 'GET',
    path: '/events/:id/body',
    summary: 'Gives the exact bytes of a body; with limit the first bytes that the ledger has of it, as text.',
    params: eventParams,
    query: () => bodyQuery,
    answer: { contentType: 'application/octet-stream' },
    faults: { 404: { description: 'event_missing' }, 410: { description: 'body_missing, with the reason' } },
    async handle({ params: { id }, query: { limit }, signal, gone, reply }) {
      if (limit !== undefined) {
        const event = (await inTime(lookupsOf(ports).eventBeginning(id, limit), signal)) ?? eventMissing(id);
        return reply
          .type('text/plain; charset=utf-8')
          .header('x-body-bytes', event.reference?.bodyUrl === undefined ? event.bodyBytes : event.reference.bytes)
          .send(await readBeginning(event, limit, { ...ports, signal, gone }));
      }
      const event = (await inTime(lookupsOf(ports).event(id), signal)) ?? eventMissing(id);
      const stream = await begunStream((ending) => wholeBody(event, endedBy(ending, ports)), { signal, gone });
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${event.id}.body"`)
        .header('x-body-bytes', event.reference?.bytes ?? event.bodyBytes)
        .send(stream);
    },
  });
}

/** The storage, whose readings a signal ends. */
function endedBy(signal: AbortSignal, { storage }: Pick<ApiPorts, 'storage'>): ApiPorts['storage'] {
  return { read: (url, options) => storage.read(url, { ...options, signal }) };
}

/** Reads the first bytes of what the ledger has, or of a body that is kept in the storage alone. */
async function readBeginning(
  { id, beginning, bodyBytes, reference }: EventBeginning,
  limit: number,
  { storage, ...signals }: Pick<ApiPorts, 'storage'> & StreamSignals,
): Promise<string> {
  if (reference?.bodyUrl !== undefined) {
    const { bodyUrl, bytes } = reference;
    const parts = await begunStream((signal) => storage.read(bodyUrl, { start: 0, end: limit - 1, signal }), signals);
    return decodeBeginning(Buffer.concat(await inTime(parts.toArray(), signals.signal)), bytes > limit);
  }
  if (beginning !== undefined) return decodeBeginning(beginning, bodyBytes > limit);
  const message = `The body of ${id} is gone: the ledger keeps none of that day any more, or its call was erased.`;
  throw new ApiFault(410, { code: 'body_missing', message });
}

/** Decodes the first bytes; of a character that the limit cuts there is nothing. */
function decodeBeginning(bytes: Buffer, isCut: boolean): string {
  return new TextDecoder().decode(bytes, { stream: isCut });
}
