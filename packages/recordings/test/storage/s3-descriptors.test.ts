import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const DIST = join(import.meta.dirname, '../../dist/index.js');

/**
 * Makes a storage, lets the process run out of descriptors for its first operation, and prints why that and the next one failed. Before that it
 * waits for the SDK, which the storage alone loads: for 20 s at most, so that a storage that does not load it fails the test.
 */
const SCRIPT = `
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { openStorage } from ${JSON.stringify(DIST)};
const storage = openStorage('s3://calls?endpoint=http://127.0.0.1:1&region=x');
const { cache } = createRequire(import.meta.url);
const isLoaded = () => Object.values(cache).some(({ id, loaded }) => loaded && id.includes('/@aws-sdk/client-s3/'));
for (let i = 0; i < 400 && !isLoaded(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
const held = [];
try {
  for (;;) held.push(openSync('/dev/null'));
} catch {}
const reason = () => storage.check().then(() => 'none', ({ message }) => message);
const first = await reason();
for (const descriptor of held) closeSync(descriptor);
process.stdout.write(JSON.stringify([first, await reason()]));
process.exit();
`;

it('works when descriptors are there again, though its process had none at the first operation', async () => {
  const { stdout } = await promisify(execFile)(
    'bash',
    ['-c', 'ulimit -n 256; exec "$0" --input-type=module --eval "$1"', process.execPath, SCRIPT],
    {
      env: { PATH: process.env['PATH'], AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
    },
  );
  expect(JSON.parse(stdout)).toEqual([
    expect.not.stringMatching(/MODULE_NOT_FOUND/),
    expect.stringContaining('ECONNREFUSED'),
  ]);
});
