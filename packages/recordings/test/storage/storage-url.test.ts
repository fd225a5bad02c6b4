import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openStorage } from '../../src/storage/open-storage.ts';
import { parseStorageUrl } from '../../src/storage/storage-url.ts';
import { recordingVariables } from '../../src/variables.ts';
import { setCredentials } from './support/credentials.ts';

const AWS = { kind: 's3', prefix: '', endpoint: undefined, region: undefined, isPathStyle: false };

test.for([
  ['file:recordings', { kind: 'file', folder: join(process.cwd(), 'recordings') }],
  ['file:./a/b', { kind: 'file', folder: join(process.cwd(), 'a/b') }],
  ['file:/var/lib/a b%20c', { kind: 'file', folder: '/var/lib/a b%20c' }],
  ['file:///var/lib/landline', { kind: 'file', folder: '/var/lib/landline' }],
  ['s3://my-bucket', { ...AWS, bucket: 'my-bucket' }],
  ['s3://my-bucket/', { ...AWS, bucket: 'my-bucket' }],
  [
    's3://b.ucket/calls/2026/?region=eu-central-1',
    { ...AWS, bucket: 'b.ucket', prefix: 'calls/2026/', region: 'eu-central-1' },
  ],
  ['s3://calls?path_style=true', { ...AWS, bucket: 'calls', isPathStyle: true }],
  [
    's3://calls/a?endpoint=https://id.r2.cloudflarestorage.com&region=auto',
    {
      ...AWS,
      bucket: 'calls',
      prefix: 'a/',
      endpoint: 'https://id.r2.cloudflarestorage.com',
      region: 'auto',
      isPathStyle: true,
    },
  ],
  [
    's3://calls?endpoint=http%3A%2F%2Fminio%3A9000&path_style=false',
    { ...AWS, bucket: 'calls', endpoint: 'http://minio:9000', region: 'us-east-1' },
  ],
] as const)('understands %s', ([url, target]) => {
  expect(parseStorageUrl(url)).toEqual(target);
});

test.for([
  ['', 'begins neither with file: nor with s3:'],
  ['/var/lib/landline', 'begins neither with file: nor with s3:'],
  ['https://bucket.s3.amazonaws.com/', 'begins neither with file: nor with s3:'],
  ['file:', 'names no folder'],
  ['file://', 'names no host'],
  ['file://server/share', 'names no host'],
  ['file:recordings?region=x', 'nothing behind it'],
  ['s3:', 'names no bucket'],
  ['s3://', 'names no bucket'],
  ['s3:///calls', 'names no bucket'],
  ['s3://My_Bucket', 'names no bucket'],
  ['s3://localhost:9000/calls', 'names no bucket'],
  ['s3://key:secret@calls', 'must hold no credentials'],
  ['s3://calls?endpoint=minio:9000', 'endpoint= must be an origin'],
  ['s3://calls?endpoint=minio', 'endpoint= is no URL'],
  ['s3://calls?endpoint=https://key:secret@minio', 'endpoint= must be an origin'],
  ['s3://calls?endpoint=https://minio/calls', 'endpoint= must be an origin'],
  ['s3://calls?endpont=https://minio', 'no other word'],
  ['s3://calls?region=a&region=b', 'names region twice'],
  ['s3://calls?region=', 'region= must be a region'],
  ['s3://calls?path_style=yes', 'must be true or false'],
  ['s3://calls/../x/.hidden', 'The prefix'],
  ['s3://calls/a//b', 'The prefix'],
  ['s3://calls/a%20b', 'The prefix'],
  ['s3://calls#x', 'takes no #'],
] as const)('refuses %s: %s', ([url, message]) => {
  expect(() => openStorage(url)).toThrow(message);
  expect(() => openStorage(url)).not.toThrow('secret');
});

test('RECORDINGS_URL may be empty, and else must be a URL that can be meant', () => {
  const schema = z.object({ RECORDINGS_URL: recordingVariables.RECORDINGS_URL });
  expect(schema.parse({})).toEqual({ RECORDINGS_URL: '' });
  expect(schema.parse({ RECORDINGS_URL: '' })).toEqual({ RECORDINGS_URL: '' });
  expect(schema.parse({ RECORDINGS_URL: 'file:x' })).toEqual({ RECORDINGS_URL: 'file:x' });
  const { error } = schema.safeParse({ RECORDINGS_URL: 's3://key:secret@calls' });
  expect(error?.issues).toMatchObject([
    { path: ['RECORDINGS_URL'], message: expect.stringContaining('no credentials') },
  ]);
  expect(String(error)).not.toContain('key:secret');
});

test('the SDK is loaded at the first request, so that only who uses it pays for it', async () => {
  setCredentials();
  const storage = openStorage('s3://recordings?endpoint=http://127.0.0.1:1');
  expect(loadedFiles()).toBe(0);
  await expect(storage.check()).rejects.toThrow('ECONNREFUSED');
  expect(loadedFiles()).toBeGreaterThan(0);
  storage.close();
});

/** Returns how many files of the SDK this process has loaded. */
function loadedFiles(): number {
  return Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@aws-sdk')).length;
}
