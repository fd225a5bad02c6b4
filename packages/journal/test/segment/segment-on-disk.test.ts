import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock } from '../../src/clock.ts';
import { decodeRecord } from '../../src/segment/record.ts';
import { aClock } from '../support/a-clock.ts';
import { append, AT, begun, bodiesIn, OWNER, reopened } from '../support/a-segment.ts';

const HEADER_BYTES = 12;

describe('the file of a segment', () => {
  it('is opened again where it is read after it was closed', async () => {
    const segment = await begun();
    const [range] = await append(segment, ['first']);
    await segment.close();
    expect(segment.isOpen()).toBe(false);
    const found = [];
    for await (const each of segment.read(range ?? { from: 0, to: 0 })) {
      if (each.kind === 'record') found.push(decodeRecord(each.record).events.map(({ body }) => body));
    }
    expect([found, segment.isOpen()]).toEqual([[['first']], true]);
  });

  it('is in place until it is moved, replaced or removed', async () => {
    const segment = await begun();
    expect(await segment.isInPlace()).toBe(true);
    const bytes = await readFile(segment.path());
    await rm(segment.path());
    expect(await segment.isInPlace()).toBe(false);
    await writeFile(`${segment.path()}.other`, bytes);
    await rename(`${segment.path()}.other`, segment.path());
    expect(await segment.isInPlace()).toBe(false);
  });

  it('moves with its mark, once, and the one that moved it has it', async () => {
    const segment = await begun();
    await append(segment, ['first']);
    await segment.writeMark();
    const [one, other] = [await reopened(segment), await reopened(segment)];
    const folder = await makeTempFolder();
    expect(await one.moveTo(folder, 'ba9876543210')).toBe(true);
    expect(await other.moveTo(folder, 'ffffffffffff')).toBe(false);
    expect([dirname(one.path()), one.facts.owners]).toEqual([folder, [OWNER, 'ba9876543210']]);
    expect(other.facts.owners).toEqual([OWNER]);
    expect((await readdir(folder)).length).toBe(2);
    expect(await readdir(dirname(segment.path()))).toEqual([]);
    // The segment still reads the file that it had open.
    expect(await bodiesIn(one)).toEqual(['first']);
  });

  it('that cannot be moved stays, with its owners', async () => {
    const segment = await begun();
    const folder = await makeTempFolder();
    await mkdir(join(folder, basename(segment.path())));
    await expect(segment.moveTo(folder, 'ba9876543210')).rejects.toMatchObject({ code: 'EISDIR' });
    expect([segment.facts.owners, await segment.isInPlace()]).toEqual([[OWNER], true]);
  });

  it('is removed with its mark, also where another program has removed it', async () => {
    const segment = await begun();
    await segment.writeMark();
    await segment.remove();
    expect(await readdir(dirname(segment.path()))).toEqual([]);
    await expect(segment.remove()).resolves.toBeUndefined();
  });

  it('is cut where its process was writing when it died, never into its header', async () => {
    const segment = await begun();
    const [, second] = await append(segment, ['first', 'second']);
    await segment.cutAt(second?.from ?? 0);
    expect((await stat(segment.path())).size).toBe(second?.from);
    await segment.cutAt(3);
    expect([(await stat(segment.path())).size, segment.facts.bytes]).toEqual([HEADER_BYTES, HEADER_BYTES]);
  });

  it('that lost its end says so once', async () => {
    const segment = await begun();
    await append(segment, ['first']);
    await segment.writeMark();
    const { bytes } = segment.facts;
    await segment.cutAt(HEADER_BYTES);
    const next = await reopened(segment);
    expect([next.takeMissingBytes(), next.takeMissingBytes()]).toEqual([bytes - HEADER_BYTES, 0]);
    expect(next.pending()).toEqual([]);
  });

  it('keeps a copy of damaged bytes beside it', async () => {
    const segment = await begun();
    await append(segment, ['first']);
    const path = await segment.copyAside({ from: 2, to: 9 });
    expect(basename(path)).toBe(`${basename(segment.path())}.damaged-2`);
    expect(await readFile(path)).toEqual((await readFile(segment.path())).subarray(2, 9));
  });
});

describe('the age of a segment', () => {
  it('is measured once: no clock that is set later changes it', async () => {
    const clock = aClock();
    const ours = createClock({ wall: clock.options.now, elapsed: clock.options.elapsed });
    const segment = await begun();
    await append(segment, ['first'], { at: AT + 2000 });
    clock.pass(5000);
    segment.measureAge(ours);
    expect([ours.elapsed() - segment.begunAt(), ours.elapsed() - segment.lastWrittenAt()]).toEqual([5000, 3000]);
    clock.set(3_600_000);
    clock.pass(1000);
    expect([ours.elapsed() - segment.begunAt(), ours.elapsed() - segment.lastWrittenAt()]).toEqual([6000, 4000]);
  });

  it('is none where its times lie ahead of ours', async () => {
    const clock = aClock();
    clock.set(-3_600_000);
    const ours = createClock({ wall: clock.options.now, elapsed: clock.options.elapsed });
    const segment = await begun();
    segment.measureAge(ours);
    expect([segment.begunAt(), segment.lastWrittenAt()]).toEqual([ours.elapsed(), ours.elapsed()]);
  });
});
