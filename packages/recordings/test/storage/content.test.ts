import { expect, test } from 'vitest';
import { checkedContent } from '../../src/storage/content.ts';
import { contentOf, partsOf } from './support/contents.ts';

test.for([
  ['shorter', 3, () => partsOf(199_999)],
  ['other', 3, () => partsOf(200_000, 2)],
  ['longer', 2, () => partsOf(200_001)],
] as const)('never yields the whole of a content that is %s than announced', async ([, parts, open]) => {
  let bytes = 0;
  const read = async (): Promise<void> => {
    for await (const part of checkedContent({ ...contentOf(200_000), open })) bytes += part.length;
  };
  await expect(read()).rejects.toMatchObject({ code: 'damaged' });
  // Of four parts. The last good one is held back until the content is known to be right.
  expect(bytes).toBe(parts * 64 * 1024);
});
