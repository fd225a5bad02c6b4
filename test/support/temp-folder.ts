import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes a folder for the running test, which is removed when the test ends. Its mode lets every user enter. */
export async function makeTempFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'landline-')));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
