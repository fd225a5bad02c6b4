import { join } from 'node:path';
import { z } from 'zod';
import { readJson, replaceFile } from '../files.ts';

/** The note that a process keeps beside its segments for whoever takes them over, and those that it took over itself. */
const notesSchema = z.object({
  note: z.unknown(),
  inherited: z.array(z.object({ owner: z.string(), note: z.unknown() })),
});

/** See `notesSchema`. */
export type Notes = z.infer<typeof notesSchema>;

/** A note of a process that is gone. */
export interface InheritedNote {
  owner: string;
  /** As it was kept; undefined where there was none to read. */
  note: unknown;
}

const NOTES = 'notes.json';

/** Writes a process's notes, all or nothing. */
export async function writeNotes(folder: string, notes: Notes): Promise<void> {
  await replaceFile(join(folder, NOTES), JSON.stringify(notes));
}

/** The notes in the folder of a process that is gone: its own first, then those that it inherited. @throws the disk's error */
export async function readNotes(folder: string, owner: string): Promise<InheritedNote[]> {
  const parsed = notesSchema.safeParse(await readJson(join(folder, NOTES)));
  if (!parsed.success) return [{ owner, note: undefined }];
  return [
    { owner, note: parsed.data.note },
    ...parsed.data.inherited.map((each) => ({ owner: each.owner, note: each.note })),
  ];
}
