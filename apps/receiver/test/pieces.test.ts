import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { addPiece, joinPieces, noPieces } from '../src/pieces.ts';

it.each([
  ['nothing', []],
  ['one piece', [5]],
  ['many small pieces', Array.from({ length: 1000 }, () => 1)],
  ['many large pieces', Array.from({ length: 600 }, () => 3000)],
  ['both', Array.from({ length: 1000 }, (_, i) => (i % 300 === 0 ? 100_000 : i % 7))],
])('%s come out as they went in', (_, sizes) => {
  const pieces = noPieces();
  const all = sizes.map((size, i) => Buffer.alloc(size, i % 251));
  for (const piece of all) addPiece(pieces, piece);
  expect(pieces.bytes).toBe(Buffer.concat(all).length);
  expect(joinPieces(pieces).equals(Buffer.concat(all))).toBe(true);
});

it('a million single bytes cost little more than a million bytes', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  const used = () => {
    if (typeof collectGarbage === 'function') collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const pieces = noPieces();
  const before = used();
  for (let i = 0; i < 1_000_000; i++) addPiece(pieces, Buffer.from(new Uint8Array([120]).buffer));
  // As they come, each would cost more than a hundred.
  expect(used() - before).toBeLessThan(20_000_000);
  expect(joinPieces(pieces).equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
});
