import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { addPiece, allPieces, noPieces } from '../src/pieces.ts';

it.each([
  ['nothing', []],
  ['one piece', [5]],
  ['many small pieces', Array.from({ length: 1000 }, () => 1)],
  ['many large pieces', Array.from({ length: 600 }, () => 3000)],
  ['middling pieces', Array.from({ length: 300 }, () => 1460)],
  ['both', Array.from({ length: 1000 }, (_, i) => (i % 300 === 0 ? 100_000 : i % 7))],
])('%s come out as they went in', (_, sizes) => {
  const pieces = noPieces();
  const all = sizes.map((size, i) => Buffer.alloc(size, i % 251));
  for (const piece of all) addPiece(pieces, piece);
  expect(pieces.bytes).toBe(Buffer.concat(all).length);
  expect(Buffer.concat(allPieces(pieces)).equals(Buffer.concat(all))).toBe(true);
});

/** Returns by how many bytes the memory of this process grew during `work`, whose result stays alive until then. */
function grownBy(work: () => unknown): number {
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  const used = () => {
    if (typeof collectGarbage === 'function') collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const kept = work();
  const grown = used() - before;
  expect(kept).toBeDefined();
  return grown;
}

/** Makes a single byte as a socket delivers it: with a buffer of its own. */
const singleByte = () => Buffer.from(new Uint8Array([120]).buffer);

it('a million single bytes cost little more than a million bytes', () => {
  const pieces = noPieces();
  const grown = grownBy(() => {
    for (let i = 0; i < 1_000_000; i++) addPiece(pieces, singleByte());
    return pieces;
  });
  // Kept as they come, each piece would cost more than a hundred bytes.
  expect(grown).toBeLessThan(20_000_000);
  expect(Buffer.concat(allPieces(pieces)).equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
});

it('a thousand bodies that have begun byte by byte cost a handful of pieces each', () => {
  const grown = grownBy(() =>
    Array.from({ length: 1000 }, () => {
      const pieces = noPieces();
      for (let i = 0; i < 255; i++) addPiece(pieces, singleByte());
      return pieces;
    }),
  );
  // Kept as they come, the pieces of each body would cost 40,000 bytes and more.
  expect(grown).toBeLessThan(15_000_000);
});
