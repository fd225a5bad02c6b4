import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, vi } from 'vitest';
import { USER } from '../../packages/recordings/test/storage/support/credentials.ts';
import { BUCKET, startStrictS3, type StrictS3 } from '../../packages/recordings/test/storage/support/s3-servers.ts';
import { startApp, type AppProcess } from './app-process.ts';
import { sha256Of, type AudioCall } from './call-events.ts';
import { SECRET } from './post.ts';
import { runSql } from './run-sql.ts';
import { makeTempFolder } from './temp-folder.ts';

/** How long a test waits. Pauses between attempts are 8 s after a few seconds without a storage. */
export const SOON = { timeout: 60_000, interval: 50 };

/** An S3 server and a spool, which the receivers of a test share. */
export interface RecordingsLine {
  s3: StrictS3;
  spoolDir: string;
  /** By which a process reaches the S3 server. */
  storageEnv: Readonly<Record<string, string>>;
  /** Starts a receiver without a journal; it stops with the test. */
  startReceiver: (options?: { nodeArguments?: readonly string[]; redisUrl?: string }) => Promise<AppProcess>;
  /** Returns the ledger's rows of the events. */
  ledgerOf: (events: readonly Pick<AudioCall, 'eventId'>[]) => Promise<Record<string, unknown>[]>;
  /** Waits until the spool is empty and each event applied; then checks that each recording is there once, and nothing beside. */
  expectOnceEach: (calls: readonly AudioCall[]) => Promise<void>;
}

/** What a line works with. */
export interface LineOptions {
  redisUrl: string;
  databaseUrl: string;
  /** As `startStrictS3` has it. */
  before?: Parameters<typeof startStrictS3>[0];
}

/** Starts the S3 server of a test. */
export async function startRecordingsLine({ redisUrl, databaseUrl, before }: LineOptions): Promise<RecordingsLine> {
  const s3 = await startStrictS3(before);
  const spoolDir = await makeTempFolder();
  const storageEnv = {
    RECORDINGS_URL: `s3://${BUCKET}?endpoint=${s3.origin}&region=us-east-1`,
    AWS_ACCESS_KEY_ID: USER.id,
    AWS_SECRET_ACCESS_KEY: USER.secret,
  };
  const env = {
    ELEVENLABS_WEBHOOK_SECRET: SECRET,
    JOURNAL_DIR: '',
    SPOOL_DIR: spoolDir,
    CANARY_INTERVAL_SECONDS: '0',
    ...storageEnv,
  };
  const line: RecordingsLine = {
    s3,
    spoolDir,
    storageEnv,
    async startReceiver({ nodeArguments = [], ...own } = {}) {
      const REDIS_URL = own.redisUrl ?? redisUrl;
      const receiver = await startApp('receiver', { env: { ...env, REDIS_URL }, nodeArguments });
      onTestFinished(async () => void (receiver.isRunning() && (await receiver.stop())));
      return receiver;
    },
    ledgerOf: (events) =>
      runSql(databaseUrl, 'SELECT id, outcome FROM webhook_events WHERE id = ANY($1::uuid[])', [
        events.map(({ eventId }) => eventId),
      ]),
    async expectOnceEach(calls) {
      await vi.waitUntil(async () => (await line.ledgerOf(calls)).length === calls.length, SOON);
      await expect.poll(() => filesIn(spoolDir), SOON).toEqual([]);
      expect((await line.ledgerOf(calls)).map(({ outcome }) => outcome)).toEqual(calls.map(() => 'applied'));
      const conversations = calls.map(({ conversationId }) => conversationId);
      const rows = await runSql<RecordingRow>(databaseUrl, RECORDINGS, [conversations]);
      expect(byConversation(rows)).toEqual(byConversation(calls.map(rowOf)));
      expect(new Map(rows.map(({ url, sha256 }) => [url, sha256]))).toEqual(storedIn(s3));
    },
  };
  return line;
}

/** Lists every file of a spool; a lock is a socket. */
export async function filesIn(spoolDir: string): Promise<string[]> {
  const entries = await readdir(spoolDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const RECORDINGS = `
  SELECT conversation_id, event_id, url, sha256, bytes FROM conversation_recordings WHERE conversation_id = ANY($1)`;

interface RecordingRow {
  conversation_id: string;
  event_id: string;
  url: string;
  sha256: string;
  bytes: string;
}

function rowOf({ conversationId, eventId, sha256, audio }: AudioCall): RecordingRow {
  return {
    conversation_id: conversationId,
    event_id: eventId,
    url: `s3://${BUCKET}/agent_audio/2026/01/05/${conversationId}.mp3`,
    sha256,
    bytes: String(audio.length),
  };
}

function byConversation(rows: readonly RecordingRow[]): RecordingRow[] {
  return rows.toSorted((a, b) => (a.conversation_id < b.conversation_id ? -1 : 1));
}

/** Returns the hash of each object, by its URL. */
function storedIn({ objects }: StrictS3): Map<string, string> {
  return new Map([...objects].map(([key, { content }]) => [`s3://${BUCKET}/${key}`, sha256Of(content)]));
}
