import type { StoredEvent, StoredRecording } from '@landline/store';
import type { BodyReference, Recording } from '@landline/webhook/delivery';
import { BodyMissingError } from '../errors.ts';
import type { RecordingStorage } from './recording-storage.ts';

const NOT_KEPT = 'RECORDINGS_URL was not set when it came';

/**
 * Gives the exact bytes of an event's body, one part after another: those of the ledger, those of the storage, or the
 * envelope with the stored audio put back as base64. Nothing is given before the first part of the storage is there.
 *
 * @throws {BodyMissingError} where the bytes were not kept, are deleted, or cannot be read in the storage.
 */
export async function* wholeBody(event: StoredEvent, storage: Pick<RecordingStorage, 'read'>): AsyncGenerator<Buffer> {
  const { body, reference } = event;
  if (reference?.bodyUrl !== undefined) yield* storage.read(reference.bodyUrl);
  else if (body === undefined) throw new BodyMissingError('gone', goneBody(event));
  else if (reference?.recording !== undefined) yield* joined(body, reference.recording, readAudio(event, storage));
  else if (reference === undefined || reference.bytes === body.length) yield body;
  else throw new BodyMissingError('not_kept', `The body of ${reference.bytes} bytes was not kept: ${NOT_KEPT}.`);
}

/** Says that the body of an event is gone, and when it came. */
function goneBody({ id, receivedAt }: StoredEvent): string {
  const day = new Date(receivedAt).toISOString().slice(0, 10);
  return `The body of ${id} is gone: the ledger keeps no bodies of ${day} any more. The rows that it made stay, unless its call was erased.`;
}

/** Finds the row of a reference's audio. It counts more than the reference: the audio may have moved or be deleted since. */
export function recordingOf({
  recordings,
  reference,
}: Pick<StoredEvent, 'recordings' | 'reference'>): StoredRecording | undefined {
  return recordings.find(({ sha256 }) => reference?.recording === undefined || sha256 === reference.recording.sha256);
}

/** Says where the audio is. */
export function audioUrl(row: StoredRecording | undefined, reference: BodyReference | undefined): string | null {
  return row?.url ?? reference?.recording?.url ?? null;
}

function readAudio(event: StoredEvent, storage: Pick<RecordingStorage, 'read'>): AsyncIterable<Buffer> {
  const row = recordingOf(event);
  if (row !== undefined && row.deletedAt !== null) {
    const at = new Date(row.deletedAt).toISOString();
    throw new BodyMissingError('deleted', `The audio was deleted at ${at}, so the body is not whole any more.`);
  }
  const url = audioUrl(row, event.reference);
  if (url === null) throw new BodyMissingError('not_kept', `The audio was not kept: ${NOT_KEPT}.`);
  return storage.read(url);
}

async function* joined(envelope: Buffer, { at }: Recording, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const audio = base64Of(content);
  try {
    const first = await audio.next();
    yield envelope.subarray(0, at);
    if (!first.done) yield first.value;
    yield* audio;
    yield envelope.subarray(at);
  } finally {
    await audio.return(undefined);
  }
}

/** Encodes bytes. Each part but the last is cut to a multiple of three bytes, so that no padding stands inside the text. */
async function* base64Of(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let left = Buffer.alloc(0);
  for await (const part of content) {
    const bytes = left.length === 0 ? part : Buffer.concat([left, part]);
    const whole = bytes.length - (bytes.length % 3);
    if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1');
    left = Buffer.from(bytes.subarray(whole));
  }
  if (left.length > 0) yield Buffer.from(left.toString('base64'), 'latin1');
}
