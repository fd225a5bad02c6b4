import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { readNotes } from '../../src/takeover/notes.ts';
import { createOwnNotes } from '../../src/takeover/own-notes.ts';

const A = { owner: 'aaaaaaaaaaaa', note: { beat: 1 } };
const B = { owner: 'bbbbbbbbbbbb', note: 'of b' };

async function written(folder: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, 'notes.json'), 'utf8'));
}

describe('the notes of a process', () => {
  it('are written where they have changed, and only then', async () => {
    const folder = await makeTempFolder();
    const notes = createOwnNotes();
    await notes.write(folder);
    await expect(written(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    notes.keep({ beat: 2 });
    await notes.write(folder);
    expect(await written(folder)).toEqual({ note: { beat: 2 }, inherited: [] });
    await rm(join(folder, 'notes.json'));
    await notes.write(folder);
    await expect(written(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('are on the disk when they arrive, and shown when all segments have come', async () => {
    const folder = await makeTempFolder();
    const notes = createOwnNotes();
    notes.keep('ours');
    await notes.arrive(folder, [A]);
    expect([notes.inherited(), await written(folder)]).toEqual([[], { note: 'ours', inherited: [A] }]);
    await notes.arrive(folder, [B]);
    notes.publishArrived();
    expect([notes.inherited(), await written(folder)]).toEqual([[A, B], { note: 'ours', inherited: [A, B] }]);
  });

  it('that have arrived and are not visible yet stay on the disk through every write', async () => {
    const folder = await makeTempFolder();
    const notes = createOwnNotes();
    await notes.arrive(folder, [A]);
    notes.keep('newer');
    await notes.write(folder);
    expect(await written(folder)).toEqual({ note: 'newer', inherited: [A] });
  });

  it('arrive once, however often they come; another note of the same process is another', async () => {
    const folder = await makeTempFolder();
    const notes = createOwnNotes();
    await notes.arrive(folder, [A, { ...A }]);
    notes.publishArrived();
    await notes.arrive(folder, [{ ...A, note: { beat: 1 } }]);
    notes.publishArrived();
    expect(notes.inherited()).toEqual([A]);
    await notes.arrive(folder, [{ ...A, note: { beat: 2 } }]);
    notes.publishArrived();
    expect(notes.inherited()).toHaveLength(2);
  });

  it('are dropped one by one', async () => {
    const folder = await makeTempFolder();
    const notes = createOwnNotes();
    await notes.arrive(folder, [A, B]);
    notes.publishArrived();
    const [first] = notes.inherited();
    if (first !== undefined) notes.forget(first);
    expect(notes.inherited()).toEqual([B]);
    await notes.write(folder);
    expect(await written(folder)).toEqual({ inherited: [B] });
  });

  it('that the disk did not take are written next time', async () => {
    const folder = join(await makeTempFolder(), 'later');
    const notes = createOwnNotes();
    notes.keep('ours');
    await expect(notes.write(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    await mkdir(folder);
    await notes.write(folder);
    expect(await written(folder)).toEqual({ note: 'ours', inherited: [] });
  });
});

describe('the notes that a process left', () => {
  it('are its own first, then those that it inherited', async () => {
    const folder = await makeTempFolder();
    await writeFile(join(folder, 'notes.json'), JSON.stringify({ note: 'own', inherited: [A, B] }));
    expect(await readNotes(folder, 'cccccccccccc')).toEqual([{ owner: 'cccccccccccc', note: 'own' }, A, B]);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['cut', '{"note":"own","inher'],
    ['of another form', '{"note":"own"}'],
    ['no object', '[]'],
  ])('are one that says nothing where they are %s', async (_name, text) => {
    const folder = await makeTempFolder();
    if (text !== undefined) await writeFile(join(folder, 'notes.json'), text);
    expect(await readNotes(folder, 'cccccccccccc')).toEqual([{ owner: 'cccccccccccc', note: undefined }]);
  });
});
