import type { StoredRecording } from '@landline/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parse } from 'range-parser';
import { z } from 'zod';
import { inTime } from '../deadline.ts';
import { ApiFault, missing } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route } from '../route.ts';
import { begunStream, type StreamSignals } from '../stream.ts';
import { conversationIdSchema } from './conversation-id.ts';

const recordingParams = z.object({
  id: conversationIdSchema,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'sha256 must be the 64 hex digits of a recording' }),
});

/** GET /conversations/:id/recordings/:sha256: the audio, whole or a range of it. */
export function getRecording(ports: Pick<ApiPorts, 'lookups' | 'storage'>) {
  return route({
    method: 'GET',
    path: '/conversations/:id/recordings/:sha256',
    summary: 'Gives the audio of a recording. It takes the header Range.',
    params: recordingParams,
    answer: { contentType: 'audio/*' },
    faults: {
      206: { description: 'The range that was asked for' },
      404: { description: 'recording_missing' },
      410: {
        description:
          'recording_deleted, or body_missing: the storage does not have it, or it lies outside of RECORDINGS_URL',
      },
      416: { description: 'range_not_satisfiable' },
    },
    async handle({ params: { id, sha256 }, signal, gone, request, reply }) {
      const rows = await inTime(lookupsOf(ports).conversations.recordings(id), signal);
      const row = rows.find((one) => one.sha256 === sha256);
      return sendAudio(row, ports, { signal, gone, request, reply });
    },
  });
}

async function sendAudio(
  row: StoredRecording | undefined,
  { storage }: Pick<ApiPorts, 'storage'>,
  { signal, gone, request, reply }: StreamSignals & { request: FastifyRequest; reply: FastifyReply },
): Promise<FastifyReply> {
  const { url, bytes, sha256, contentType } = whatIsThere(row);
  const etag = `"${sha256}"`;
  const range = readRange(request, bytes, etag);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`);
    throw new ApiFault(416, { code: 'range_not_satisfiable', message: `The recording has ${bytes} bytes.` });
  }
  const stream = await begunStream((ending) => storage.read(url, { ...range, signal: ending }), { signal, gone });
  const { start, end } = range ?? { start: 0, end: bytes - 1 };
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${bytes}`);
  return reply
    .type(contentType)
    .headers({ 'accept-ranges': 'bytes', 'content-length': end - start + 1, etag })
    .send(stream);
}

/** @throws ApiFault where there is no audio to be played */
function whatIsThere(row: StoredRecording | undefined): Omit<StoredRecording, 'url'> & { url: string } {
  if (row === undefined) throw missing('recording_missing', 'This conversation has no such recording.');
  if (row.deletedAt !== null) {
    const message = `The recording was deleted at ${new Date(row.deletedAt).toISOString()}.`;
    throw new ApiFault(410, { code: 'recording_deleted', message });
  }
  const { url } = row;
  if (url === null) throw missing('recording_missing', 'The audio was not kept: RECORDINGS_URL was not set then.');
  // What the sender says must not make the browser run it.
  const contentType = /^audio\/[\w.+-]{1,100}$/.test(row.contentType) ? row.contentType : 'application/octet-stream';
  return { ...row, url, contentType };
}

/** Returns the range that is asked for; undefined for the whole, also where several ranges are asked for (RFC 9110, 14.2). */
function readRange(
  { headers }: FastifyRequest,
  bytes: number,
  etag: string,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const { range } = headers;
  const ifRange = headers['if-range'];
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const { code, type, ranges } = parse(bytes, range);
  const [first, another] = ranges;
  if (type !== 'bytes' || (code & INVALID) !== 0 || another !== undefined) return undefined;
  return first === undefined ? 'unsatisfiable' : { start: first.start, end: first.end };
}

/** The bit of range-parser's code for a header that cannot be read. */
const INVALID = 1;
