import { appendFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, sizeOf } from '@landline/held-folder/files';
import { createJournal, type Journal } from '../../src/journal.ts';
import { SEGMENT_HEADER_BYTES } from '../../src/segment/format.ts';
import { beginRecord, sealRecord } from '../../src/segment/record.ts';
import { aClock, type TestClock } from './a-clock.ts';
import { event } from './a-journal.ts';

/** A process that keeps a journal. */
export interface WorldProcess {
  journal: Journal;
  /** The name of its folder. */
  owner: string;
}

/** The state of the marks in a process's folder after a power cut or a kill. */
export type MarksLeft = 'kept' | 'lost' | 'cut' | 'empty';

/** The end of the file that a process was writing to when it died. */
export type TailLeft =
  | { kind: 'nothing' }
  /** The part of an unanswered record that is written, in thousandths. */
  | { kind: 'record'; bodies: string[]; permille: number }
  /** A file grows before its bytes arrive. */
  | { kind: 'zeros'; bytes: number }
  /** A file that was begun, and so much of its beginning. */
  | { kind: 'beginning'; bytes: number };

export interface WorldOptions {
  root: string;
  limitBytes: number;
  retentionHours: number;
}

/** Processes that share a journal's folder on one machine. The test controls the clock. */
export interface World {
  clock: TestClock;
  /** The living processes. */
  processes: WorldProcess[];
  errors: string[];
  start(): Promise<WorldProcess>;
  /** Ends a process as `kill -9` or a power cut does; the others live on. */
  kill(process: WorldProcess, left: { marks: MarksLeft; tail: TailLeft }): Promise<void>;
  close(process: WorldProcess): Promise<void>;
  /** Every process takes over the files that it finds, and writes its marks. */
  tick(): Promise<void>;
  end(): Promise<void>;
}

/** Makes a world without a process. */
export function aWorld({ root, ...options }: WorldOptions): World {
  const dir = join(root, 'journal');
  const clock = aClock();
  const processes: WorldProcess[] = [];
  const errors: string[] = [];
  let number = 0;

  function remove(process: WorldProcess): void {
    processes.splice(processes.indexOf(process), 1);
  }

  async function tick(): Promise<void> {
    // No record is that young, so this redoes none. Each process writes its marks.
    for (const { journal } of processes) await journal.redo(Infinity);
  }

  return {
    clock,
    processes,
    errors,
    async start() {
      const before = new Set(await foldersIn(dir));
      const journal = createJournal({
        ...options,
        ...clock.options,
        dir,
        onError: (error) => errors.push(error.message),
      });
      await journal.open();
      const owner = (await foldersIn(dir)).find((name) => !before.has(name)) ?? '';
      const process = { journal, owner };
      processes.push(process);
      return process;
    },
    async kill(process, { marks, tail }) {
      remove(process);
      // The others do their due work before, so that none of them takes over meanwhile.
      await tick();
      const [folder, copy] = [join(dir, process.owner), join(root, `copy-${number++}`)];
      await copyFolder(folder, copy);
      await process.journal.close();
      await rm(folder, { recursive: true, force: true });
      await leaveMarks(copy, marks);
      await leaveTail(copy, process.owner, { tail, at: clock.options.now() });
      await rename(copy, folder);
    },
    async close(process) {
      remove(process);
      await process.journal.close();
    },
    tick,
    async end() {
      await Promise.all(processes.map(({ journal }) => journal.close()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function foldersIn(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.filter((name) => /^[0-9a-f]+$/.test(name));
}

/** Copies a folder as it is now. Meanwhile files may be removed, and a mark may be replaced. */
async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => name !== 'lock' && !name.endsWith('.new'));
  for (const name of names) {
    try {
      await writeFile(join(to, name), await readFile(join(from, name)));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

async function leaveMarks(folder: string, left: MarksLeft): Promise<void> {
  if (left === 'kept') return;
  const marks = (await readdir(folder)).filter((name) => name.endsWith('.mark')).map((name) => join(folder, name));
  await Promise.all(
    marks.map(async (path) => {
      if (left === 'lost') await rm(path);
      else await truncate(path, left === 'cut' ? Math.floor((await readFile(path)).length / 2) : 0);
    }),
  );
}

/** Returns the file that a process wrote to last. A file that was just being begun may have no header yet. */
async function lastFile(folder: string, owner: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(`-${owner}.log`)).sort();
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  return join(folder, names.findLast((_name, i) => (sizes[i] ?? 0) >= SEGMENT_HEADER_BYTES) ?? '');
}

async function leaveTail(folder: string, owner: string, { tail, at }: { tail: TailLeft; at: number }): Promise<void> {
  const path = await lastFile(folder, owner);
  switch (tail.kind) {
    case 'nothing':
      return;
    case 'record': {
      const seed = (await readFile(path)).readUInt32LE(8);
      const record = sealRecord(beginRecord(tail.bodies.map((body) => event(body))), at, seed);
      await appendFile(path, record.subarray(0, Math.floor((record.length * tail.permille) / 1000)));
      return;
    }
    case 'zeros':
      await appendFile(path, Buffer.alloc(tail.bytes));
      return;
    case 'beginning':
      await writeFile(
        join(folder, `${String(at).padStart(15, '0')}-999999-${owner}.log`),
        Buffer.alloc(tail.bytes, 'LLJ1'),
      );
      return;
  }
}
