import { join } from 'node:path';
import { z } from 'zod';
import { readJson, replaceFile } from '@landline/held-folder/files';

/**
 * A process's own note, kept beside its segments for the process that takes them over, and the notes that it inherited.
 */
const notesSchema = z.object({
  note: z.unknown(),
  inherited: z.array(z.object({ owner: z.string(), note: z.unknown() })),
});

/** See `notesSchema`. */
export type Notes = z.infer<typeof notesSchema>;

/** A note of a process that has ended. */
export interface InheritedNote {
  owner: string;
  /** The note as it was kept; undefined where it cannot be read. */
  note: unknown;
}

const NOTES = 'notes.json';

/** Writes a process's notes in one step. @throws the disk's error */
export async function writeNotes(folder: string, notes: Notes): Promise<void> {
  await replaceFile(join(folder, NOTES), JSON.stringify(notes));
}

/**
 * Reads the notes in the folder of an ended process: its own first, then those that it inherited. @throws the disk's
 * error
 */
export async function readNotes(folder: string, owner: string): Promise<InheritedNote[]> {
  const parsed = notesSchema.safeParse(await readJson(join(folder, NOTES)));
  if (!parsed.success) return [{ owner, note: undefined }];
  return [
    { owner, note: parsed.data.note },
    ...parsed.data.inherited.map((each) => ({ owner: each.owner, note: each.note })),
  ];
}
