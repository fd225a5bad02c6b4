import { intakeVariables } from '@landline/intake';
import { journalVariables } from '@landline/journal';
import { port, processVariables, readVariables, wholeNumber, type ReadVariables } from '@landline/process';
import { queueVariables } from '@landline/queue';
import { parseStorageUrl, recordingVariables } from '@landline/recordings';
import { webhookVariables } from '@landline/webhook';
import { resolve } from 'node:path';
import { z } from 'zod';

/** Each variable that names a folder which holds a folder for each receiver: nothing else may be in it. */
const HELD_FOLDERS = ['JOURNAL_DIR', 'SPOOL_DIR'] as const;

interface Folders extends Record<(typeof HELD_FOLDERS)[number], string> {
  RECORDINGS_URL: string;
}

/** Refuses folders that get in each other's way: a receiver takes any folder with the name of a receiver's for that of an ended one. */
function checkFolders(folders: Folders, context: z.core.$RefinementCtx): void {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (folders.JOURNAL_DIR !== '' && resolve(folders.JOURNAL_DIR) === resolve(folders.SPOOL_DIR)) {
    refuse('SPOOL_DIR and JOURNAL_DIR must be two folders');
  }
  if (!folders.RECORDINGS_URL.startsWith('file:')) return;
  const recordings = parseStorageUrl(folders.RECORDINGS_URL);
  for (const name of HELD_FOLDERS) {
    const isWithin = recordings.kind === 'file' && isIn(recordings.folder, folders[name]);
    if (isWithin) refuse(`RECORDINGS_URL must name a folder outside ${name}`);
  }
}

function isIn(folder: string, outer: string): boolean {
  return outer !== '' && `${folder}/`.startsWith(`${resolve(outer)}/`);
}

/** The receiver's variables with their defaults. None is for the database: the receiver never connects to it. */
export const receiverVariables = z.object({
  ...webhookVariables,
  ...queueVariables,
  ...intakeVariables,
  ...journalVariables,
  ...recordingVariables,
  ...processVariables,
  /** The time between two canaries; 0: the receiver sends none. */
  CANARY_INTERVAL_SECONDS: wholeNumber('CANARY_INTERVAL_SECONDS', { unit: 'seconds', min: 0, max: 86_400 }).default(60),
  PORT: port('PORT').default(3000),
  HOST: z.string().default('0.0.0.0'),
  HEALTH_PORT: port('HEALTH_PORT').default(3004),
  HEALTH_HOST: z.string().default('127.0.0.1'),
  /** How slowly a body may arrive on average, once it takes longer than REQUEST_TIMEOUT_MS. */
  MIN_BYTES_PER_SECOND: wholeNumber('MIN_BYTES_PER_SECOND', {
    unit: 'bytes a second',
    min: 1,
    max: 1_073_741_824,
  }).default(16_384),
  REQUEST_TIMEOUT_MS: wholeNumber('REQUEST_TIMEOUT_MS', { unit: 'milliseconds', min: 100, max: 600_000 }).default(
    10_000,
  ),
  /** Load balancers keep a connection for up to 10 min (Google Cloud's), and must close it before the receiver does. */
  KEEP_ALIVE_TIMEOUT_MS: wholeNumber('KEEP_ALIVE_TIMEOUT_MS', {
    unit: 'milliseconds',
    min: 1000,
    max: 3_600_000,
  }).default(620_000),
  MAX_CONNECTIONS: wholeNumber('MAX_CONNECTIONS', { unit: 'connections', min: 64, max: 1_000_000 }).default(4096),
  DRAIN_SECONDS: wholeNumber('DRAIN_SECONDS', { unit: 'seconds', min: 0, max: 60 }).default(5),
});

/** The values of the receiver's variables. */
export type ReceiverConfig = z.infer<typeof receiverVariables>;

/** Reads the receiver's variables. Returns the configuration with its warnings, or the faults as text. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadVariables<ReceiverConfig> {
  return readVariables(receiverVariables.superRefine(checkFolders), env);
}
