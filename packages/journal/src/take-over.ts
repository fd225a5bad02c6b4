import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { otherFolders } from './owner.ts';
import { readNotes, type InheritedNote } from './notes.ts';
import { moveSegment, openSegment, SEGMENT_FILE, type Segment } from './segment.ts';

export interface TakeOverOptions {
  journalDir: string;
  /** The folder of the process that takes over. */
  folder: string;
  owner: string;
  /** Keeps the notes before the segments come. */
  inherit: (notes: readonly InheritedNote[]) => Promise<void>;
  onError: (error: Error) => void;
}

/** Takes over what processes left that are gone. Two that do so at once share it: a file moves once. */
export async function takeOver({ journalDir, folder, owner, inherit, onError }: TakeOverOptions): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const { path, isHeld } of await otherFolders(journalDir, owner)) {
    if (isHeld) continue;
    // oxlint-disable-next-line no-await-in-loop -- one folder after the other
    segments.push(...(await takeFolder(path, { folder, inherit, onError })));
  }
  return segments;
}

async function takeFolder(
  dead: string,
  { folder, inherit, onError }: Pick<TakeOverOptions, 'folder' | 'inherit' | 'onError'>,
): Promise<Segment[]> {
  const segments: Segment[] = [];
  const names = await namesIn(dead);
  const files = names.filter((name) => SEGMENT_FILE.test(name)).sort();
  if (files.length > 0) await inherit(await readNotes(dead, basename(dead)));
  for (const name of files) {
    // oxlint-disable-next-line no-await-in-loop -- in the order of their age
    const moved = await moveSegment(join(dead, name), folder);
    if (moved === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- in the order of their age
    const segment = await openSegment(moved);
    if (segment !== undefined) segments.push(segment);
    else
      onError(
        new Error(
          `The journal's file ${moved} does not begin as one: it is left as it is, and nothing of it is enqueued.`,
        ),
      );
  }
  // What was set aside stays for a person to look at.
  const kept = (await namesIn(dead)).some((name) => name.includes('.log'));
  if (!kept) await rm(dead, { recursive: true, force: true });
  return segments;
}

/** Empty where somebody else has taken the folder over meanwhile. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
