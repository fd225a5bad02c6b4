import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { StoredEvent, StoredRecording } from '@landline/store';
import { idempotencyKey } from '@landline/webhook';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { checkBody } from '../../src/body/body-check.ts';
import { openBoundRecordingStorage } from '../../src/body/bound-recording-storage.ts';
import { openRecordingStorage } from '../../src/body/recording-storage.ts';
import { wholeBody } from '../../src/body/whole-body.ts';

const ENVELOPE = Buffer.from('{"audio":"","é":1}');
const WHOLE = Buffer.from('{"audio":"YXVkaW8=","é":1}'); // "audio"
const RECORDING = { at: 10, bytes: 5, sha256: 'ab', contentType: 'audio/mpeg', url: null, storedAt: null };

/** An event with audio that was cut out of its body. */
function anEvent(change: Partial<StoredEvent> = {}): StoredEvent {
  const id = idempotencyKey(WHOLE);
  return {
    id,
    eventKey: null,
    type: 'post_call_audio',
    conversationId: 'conv_1',
    eventAt: 0,
    receivedAt: Date.UTC(2026, 0, 1),
    appliedAt: null,
    origin: 'webhook',
    outcome: 'applied',
    error: null,
    body: ENVELOPE,
    bodyBytes: ENVELOPE.length,
    reference: { eventId: id, bytes: WHOLE.length, recording: RECORDING },
    recordings: [],
    ...change,
  };
}

function aRow(change: Partial<StoredRecording>): StoredRecording {
  const { bytes, sha256, contentType } = RECORDING;
  return { eventId: '', url: null, contentType, bytes, sha256, createdAt: 0, storedAt: 0, deletedAt: null, ...change };
}

/** Reads all, and says whether these are the bytes that were received. */
async function read(event: StoredEvent): Promise<{ body: Buffer; isSound: boolean }> {
  const storage = openRecordingStorage(undefined);
  const [check, parts] = [checkBody(event), [] as Buffer[]];
  for await (const part of wholeBody(event, storage)) {
    check.update(part);
    parts.push(part);
  }
  storage.close();
  return { body: Buffer.concat(parts), isSound: check.isSound() };
}

/** Keeps a file as a recording; returns its URL. */
async function keep(bytes: string): Promise<string> {
  const folder = join(await makeTempFolder(), 'agent_1', 'undated');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'conv_1.mp3'), bytes);
  return `file:${folder}/conv_1.mp3`;
}

test('puts the stored audio back, and knows that these are the bytes that came', async () => {
  const event = anEvent({ recordings: [aRow({ url: await keep('audio') })] });
  expect(await read(event)).toEqual({ body: WHOLE, isSound: true });
});

test('knows that the storage has another audio', async () => {
  const event = anEvent({ recordings: [aRow({ url: await keep('noise') })] });
  expect(await read(event)).toMatchObject({ isSound: false });
});

test.each([
  ['gone', { body: undefined }, 'keeps no bodies of 2026-01-01 any more'],
  ['deleted', { recordings: [aRow({ deletedAt: 0 })] }, 'deleted at 1970-01-01T00:00:00.000Z'],
  ['not_kept', {}, 'The audio was not kept'],
  ['unreadable', { recordings: [aRow({ url: 'file:/nowhere/undated/conv_1.mp3' })] }, 'There is no recording at'],
  ['unreadable', { recordings: [aRow({ url: 'https://example.com/a.mp3' })] }, 'https://example.com/a.mp3'],
])('says that the bytes are %s', async (reason, change, message) => {
  await expect(read(anEvent(change))).rejects.toMatchObject({
    name: 'BodyMissingError',
    code: 'body_missing',
    reason,
    message: expect.stringContaining(message),
  });
});

test('gives a range of a recording, and its size', async () => {
  const storage = openRecordingStorage('');
  const url = await keep('0123456789');
  const parts: Buffer[] = [];
  for await (const part of storage.read(url, { start: 2, end: 4 })) parts.push(part);
  expect(Buffer.concat(parts).toString()).toBe('234');
  expect(await storage.sizeOf(url)).toBe(10);
  const missing = { reason: 'unreadable', cause: { code: 'missing' } };
  await expect(storage.sizeOf(url.replace('conv_1', 'conv_2'))).rejects.toMatchObject(missing);
  storage.close();
});

test('a range that is none is no fault of the storage', async () => {
  const storage = openRecordingStorage(undefined);
  const url = await keep('audio');
  await expect(storage.read(url, { start: 3, end: 2 })[Symbol.asyncIterator]().next()).rejects.toThrow(RangeError);
  storage.close();
});

/** Reads a URL by a storage that is bound to another. */
async function readBound(configured: string, wanted: string): Promise<string> {
  const storage = openBoundRecordingStorage(configured);
  onTestFinished(() => storage.close());
  return Buffer.concat(await Readable.from(storage.read(wanted)).toArray()).toString();
}

test('a storage that is bound to its place reads that, and names nothing else', async () => {
  const url = await keep('audio');
  const root = url.slice(0, url.indexOf('/agent_1'));
  expect(await readBound(root, url)).toBe('audio');
  for (const [configured, wanted, reason, says] of [
    ['', url, 'outside', 'RECORDINGS_URL is not set here: set it'],
    [`${root}/agent_1/undated/other`, url, 'outside', 'outside of what RECORDINGS_URL names'],
    ['s3://calls?endpoint=http://127.0.0.1:1', url, 'outside', 'outside of what RECORDINGS_URL names'],
    [root, url.replace('conv_1', 'conv_2'), 'unreadable', 'does not have it any more'],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    const error: unknown = await readBound(configured, wanted).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: 'BodyMissingError', reason, message: expect.stringContaining(says) });
    expect(String(error)).not.toMatch(/file:|s3:|conv_|agent_/);
  }
});
