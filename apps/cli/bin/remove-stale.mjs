import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What tsc writes for one source. */
const OUTPUT = /(?:\.js|\.js\.map|\.d\.ts)$/;

/**
 * Removes what an older build has left in `dist`: each output of tsc whose source is gone from `src`, and each folder that is then empty.
 * Neither tsc nor turbo's cache removes anything, so a moved file would stay where it was.
 */
export function removeStale({ src, dist }) {
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    const path = join(dist, entry.name);
    if (entry.isDirectory()) {
      removeStale({ src: join(src, entry.name), dist: path });
      if (readdirSync(path).length === 0) rmdirSync(path);
    } else if (OUTPUT.test(entry.name) && !existsSync(join(src, entry.name.replace(OUTPUT, '.ts')))) {
      rmSync(path);
    }
  }
}
