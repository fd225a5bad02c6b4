import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileShim } from '../power-cut/compile-shim.ts';
import { ROOT } from '../support/root.ts';

/** Clocks that can be stepped while the processes run that read them. */
export interface Clocks {
  /** What a process needs in its environment to read the clock of this name; it is right until it is set. */
  environmentOf: (name: string) => Promise<Record<string, string>>;
  /** Sets a clock so many seconds ahead of the true time, or behind it where they are below 0. */
  set: (name: string, seconds: number) => Promise<void>;
  remove: () => Promise<void>;
}

/**
 * Makes clocks by clock-shim.c, whose files lie in `folder`.
 *
 * @returns The clocks, or why there are none: it takes Linux and a C compiler, which is installed where that needs no question.
 */
export async function createClocks(folder: string): Promise<Clocks | { reason: string }> {
  if (process.platform !== 'linux') return { reason: 'a clock can be stepped on Linux alone' };
  const compiled = await compileShim(join(ROOT, 'test/faults/clock-shim.c')).catch((error: unknown) => String(error));
  if (typeof compiled === 'string') return { reason: compiled };
  const library = compiled.path;
  const fileOf = (name: string) => join(folder, `clock-${name.replaceAll(' ', '-')}`);

  async function environmentOf(name: string): Promise<Record<string, string>> {
    await writeFile(fileOf(name), Buffer.alloc(8));
    return { LD_PRELOAD: library, CLOCK_OFFSET_FILE: fileOf(name) };
  }

  return {
    environmentOf,
    async set(name, seconds) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(seconds));
      // Not made anew: the processes have this file before them.
      const file = await open(fileOf(name), 'r+');
      await file.write(bytes, 0, bytes.length, 0);
      await file.close();
    },
    remove: compiled.remove,
  };
}
