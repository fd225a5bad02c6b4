import { basename, join } from 'node:path';
import { isMissing, namesIn, syncFolder, type ListFolder } from '@landline/held-folder/files';
import { SEGMENT_FILE } from '../segment/format.ts';
import { openSegment } from '../segment/open-segment.ts';
import type { Segment } from '../segment/segment.ts';
import { readNotes, type InheritedNote } from './notes.ts';
import { otherFolders, type OwnFolder } from '@landline/held-folder';
import { removeFolder } from './remove-folder.ts';

/** The dependencies of a take-over. */
export interface TakeOverOptions {
  journalDir: string;
  /** The folder of the process that takes over. */
  folder: Pick<OwnFolder, 'path' | 'owner'>;
  /** Keeps the notes before the segments arrive. */
  inherit: (notes: readonly InheritedNote[]) => Promise<void>;
  /** Called with each segment as soon as it is in `folder`. */
  onTaken: (segment: Segment) => void;
  onError: (error: Error) => void;
  /** Lists a folder's names; none where the folder is gone. */
  list?: ListFolder;
}

/**
 * Takes over the folders of ended processes. Where two processes do so at once, each file moves once, to one of them.
 * Unreadable files stay.
 */
export async function takeOver(options: TakeOverOptions): Promise<void> {
  const { journalDir, folder, onError } = options;
  for (const { path, isHeld } of await otherFolders(journalDir, folder.owner)) {
    if (isHeld) continue;
    // oxlint-disable-next-line no-await-in-loop -- one folder after the other
    await takeFolder(path, options).catch((error: unknown) => onError(describe(path, error)));
  }
}

function describe(path: string, cause: unknown): Error {
  if (cause instanceof Error && !('code' in cause)) return cause;
  return new Error(`The journal's folder ${path} stays for now and is tried again: ${String(cause)}`, { cause });
}

async function takeFolder(dead: string, options: TakeOverOptions): Promise<void> {
  const { folder, inherit, onTaken, onError, list = namesIn } = options;
  const files = (await list(dead)).filter((name) => SEGMENT_FILE.test(name)).sort();
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
      if (await moveOrClose(segment, folder)) onTaken(segment);
    }
  } finally {
    await Promise.all(segments.map((each) => each.close()));
  }
  // The names must be on the disk here before the old folder is removed.
  if (files.length > 0) await syncFolder(folder.path);
  // Unreadable segments and damaged bytes stay for the operator.
  await removeFolder(dead, list);
}

async function openLeft(path: string, onError: (error: Error) => void): Promise<Segment | undefined> {
  try {
    const segment = await openSegment(path);
    const missing = segment?.takeMissingBytes() ?? 0;
    if (segment === undefined) {
      onError(
        new Error(
          `The journal's file ${path} does not begin as one: it is left as it is, and nothing of it is enqueued.`,
        ),
      );
    } else if (missing > 0) {
      onError(
        new Error(
          `The journal's file ${path} ends ${missing} bytes before what was written to it: what was there can come from Redis alone.`,
        ),
      );
    }
    return segment;
  } catch (error) {
    // Another process has taken the file.
    if (isMissing(error)) return undefined;
    onError(new Error(`The journal's file ${path} cannot be opened; it is tried again: ${String(error)}`));
    return undefined;
  }
}

async function moveOrClose(segment: Segment, { path, owner }: Pick<OwnFolder, 'path' | 'owner'>): Promise<boolean> {
  let isOurs = false;
  try {
    isOurs = await segment.moveTo(path, owner);
  } finally {
    if (!isOurs) await segment.close();
  }
  return isOurs;
}
