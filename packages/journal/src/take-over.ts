import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readNotes, type InheritedNote } from './notes.ts';
import { otherFolders, type OwnFolder } from './owner.ts';
import { closeSegment, holdsSomething, moveSegment, openSegment, SEGMENT_FILE, type Segment } from './segment.ts';

export interface TakeOverOptions {
  journalDir: string;
  /** Of the process that takes over. */
  folder: OwnFolder;
  /** Keeps the notes before the segments come. */
  inherit: (notes: readonly InheritedNote[]) => Promise<void>;
  /** Is given each segment as soon as it is ours. */
  adopt: (segment: Segment) => void;
  onError: (error: Error) => void;
}

/** Takes over what processes left that are gone. Two that do so at once share it: a file moves once. What cannot be read stays. */
export async function takeOver(options: TakeOverOptions): Promise<void> {
  const { journalDir, folder, onError } = options;
  for (const { path, isHeld } of await otherFolders(journalDir, folder.owner)) {
    if (isHeld) continue;
    // oxlint-disable-next-line no-await-in-loop -- one folder after the other
    await takeFolder(path, options).catch(onError);
  }
}

async function takeFolder(dead: string, { folder, inherit, adopt, onError }: TakeOverOptions): Promise<void> {
  const files = (await namesIn(dead)).filter((name) => SEGMENT_FILE.test(name)).sort();
  const segments: Segment[] = [];
  for (const name of files) {
    // oxlint-disable-next-line no-await-in-loop -- in the order of their age
    const segment = await openLeft(join(dead, name), onError);
    if (segment !== undefined) segments.push(segment);
  }
  try {
    if (segments.length > 0) await inherit(await readNotes(dead, basename(dead)));
    for (let segment = segments.shift(); segment !== undefined; segment = segments.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- in the order of their age
      if (await moveOrClose(segment, folder.path)) adopt({ ...segment, owners: [...segment.owners, folder.owner] });
    }
  } finally {
    await Promise.all(segments.map(closeSegment));
  }
  // What cannot be read, or was set aside, stays for a person to look at.
  if (!holdsSomething(await namesIn(dead))) await rm(dead, { recursive: true, force: true });
}

async function openLeft(path: string, onError: (error: Error) => void): Promise<Segment | undefined> {
  try {
    const segment = await openSegment(path);
    if (segment === undefined) {
      onError(
        new Error(
          `The journal's file ${path} does not begin as one: it is left as it is, and nothing of it is enqueued.`,
        ),
      );
    } else if (segment.provenBytes > segment.bytes) {
      onError(
        new Error(
          `The journal's file ${path} ends ${segment.provenBytes - segment.bytes} bytes before what was written to it: what was there can come from Redis alone.`,
        ),
      );
      // It is told once.
      segment.provenBytes = segment.bytes;
    }
    return segment;
  } catch (error) {
    // Somebody else has taken it.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    onError(new Error(`The journal's file ${path} cannot be opened; it is tried again: ${String(error)}`));
    return undefined;
  }
}

async function moveOrClose(segment: Segment, folder: string): Promise<boolean> {
  try {
    if (await moveSegment(segment, folder)) return true;
  } catch (error) {
    await closeSegment(segment);
    throw error;
  }
  await closeSegment(segment);
  return false;
}

/** Empty where somebody else has taken the folder over meanwhile. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
