import { readdir } from 'node:fs/promises';
import { createSpool, type SpooledBody } from '@landline/recordings';
import { expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { beginLargeBody } from '../src/large-body.ts';
import { createSlices } from '../src/slices.ts';

it('that was given up is not kept, not even in part', async () => {
  const dir = await makeTempFolder();
  const kept: SpooledBody[] = [];
  const spool = createSpool({
    dir,
    limitBytes: 16_777_216,
    onBody: (body) => kept.push(body),
    onError: () => undefined,
    onReady: () => undefined,
  });
  await spool.open();
  onTestFinished(() => spool.close());
  const body = beginLargeBody({
    writer: spool.begin({ isLarge: true }),
    signature: { ok: true, timestamp: '1767225600', signatures: [] },
    secrets: ['wsec_1'],
    slices: createSlices(),
    onWritten: () => undefined,
    onError: () => undefined,
  });
  body.add(Buffer.alloc(300_000));
  await body.written();
  // The sender hangs up between the last write and the handler.
  body.discard();
  await expect(body.keep({ receivedAt: 1, signedAt: 1, secretId: '0123abcd' })).rejects.toMatchObject({
    name: 'SpoolError',
  });
  const [owner = ''] = await readdir(dir);
  await expect.poll(() => readdir(`${dir}/${owner}`), { timeout: 20_000 }).toEqual(['lock']);
  expect(kept).toEqual([]);
});
