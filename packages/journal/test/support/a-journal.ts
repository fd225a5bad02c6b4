import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Delivery } from '@landline/webhook';
import { onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import type { JournalOptions } from '../../src/journal-options.ts';
import { createJournal, type Journal } from '../../src/journal.ts';

export const MEBIBYTE = 1024 * 1024;

/** More than any test holds. */
const NO_LIMIT = { maxEvents: 1_000_000, maxBytes: 1_000_000_000 };

export interface TestJournal extends Journal {
  dir: string;
  errors: string[];
  /** How often the journal reported that it takes groups again. */
  returns: () => number;
}

/** An open journal, in a folder of the test's own unless `dir` names one. It is closed when the test ends. */
export async function aJournal(options: Partial<JournalOptions> = {}): Promise<TestJournal> {
  const dir = options.dir ?? join(await makeTempFolder(), 'journal');
  const errors: string[] = [];
  let returns = 0;
  const journal = createJournal({
    limitBytes: 1024 * MEBIBYTE,
    retentionHours: 24,
    onError: (error) => errors.push(error.message),
    onReady: () => returns++,
    ...options,
    dir,
  });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= journal.close());
  onTestFinished(close);
  await journal.open();
  return { ...journal, close, dir, errors, returns: () => returns };
}

/** Copies the files of `dir` as they are now, as if every process that writes there were killed. */
export async function leftBehind(dir: string): Promise<string> {
  const copy = join(await makeTempFolder(), 'journal');
  await mkdir(copy);
  for (const folder of await readdir(dir)) {
    // A copy has no lock, because no living process holds it.
    // oxlint-disable-next-line no-await-in-loop -- a folder or two
    await cp(join(dir, folder), join(copy, folder), { recursive: true, filter: (path) => !path.endsWith('/lock') });
  }
  return copy;
}

/**
 * Returns the bodies that Redis lacks, as the next process finds them when every process that writes to `dir` is killed
 * now.
 */
export async function pendingIn(dir: string): Promise<string[]> {
  return drain(await aJournal({ dir: await leftBehind(dir) }));
}

/** An event with this body. */
export function event(body: string, fields: object = {}): Delivery {
  return {
    receivedAt: 1_767_225_600_123,
    signedAt: 1_767_225_600,
    secretId: 'ab12',
    ...fields,
    encoding: 'utf8',
    body,
  };
}

/** Takes all pending groups and reports them enqueued. Returns the bodies, in order. */
export async function drain(journal: Journal, limit: Partial<typeof NO_LIMIT> = {}): Promise<string[]> {
  const events = await drainEvents(journal, limit);
  return events.map(({ body }) => body);
}

/** Takes all pending groups as `drain` does. Returns the events with all their fields. */
export async function drainEvents(journal: Journal, limit: Partial<typeof NO_LIMIT> = {}): Promise<Delivery[]> {
  const events: Delivery[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const group = await journal.takePending({ ...NO_LIMIT, ...limit });
    if (group === undefined) return events;
    events.push(...group.events);
    group.enqueued();
  }
}

/** The files of segments in a journal's folder, oldest first. */
export async function segmentFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true });
  return names
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(dir, name))
    .sort();
}
