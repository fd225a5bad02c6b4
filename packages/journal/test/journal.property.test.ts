import fc from 'fast-check';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { commands, drain, type Scene } from './support/journal-commands.ts';
import { JournalModel } from './support/journal-model.ts';
import { aWorld } from './support/journal-world.ts';

const HOUR_MS = 3_600_000;

it.each([
  ['with room', { limitBytes: 8_000_000, isTight: false }],
  ['at its limit', { limitBytes: 64_000, isTight: true }],
])(
  'loses nothing that was answered and repeats nothing that was written down, whatever befalls it: %s',
  async (_name, { limitBytes, isTight }) => {
    const folder = await makeTempFolder();
    let number = 0;
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const root = join(folder, `${number++}`);
        await mkdir(root);
        const world = aWorld({ root, limitBytes, retentionHours: 1 });
        const model = new JournalModel({ retentionMs: HOUR_MS, isTight });
        const scene: Scene = { world, underWay: [] };
        try {
          await fc.asyncModelRun(() => ({ model, real: scene }), steps);
          await drain(model, scene);
          taken += model.records.length;
        } finally {
          await world.end();
        }
      }),
      { numRuns: 40 },
    );
    // Steps without a record would find nothing.
    expect(taken).toBeGreaterThan(100);
  },
);
