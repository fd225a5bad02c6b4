/** Where a receiver stops for good. */
export type StopPoint = 'before its 200' | 'while it splits' | 'before it removes the file';

/** Replaces calls of Node's file system. Each text uses `stop`, which never resolves. */
const REPLACEMENTS: Record<StopPoint, string> = {
  // The name and the bytes of the body are on the disk by then.
  'before its 200': `
    const { rename } = fs;
    const { sync } = handles;
    let isNamed = false;
    fs.rename = async (from, to) => {
      await rename(from, to);
      isNamed ||= String(to).endsWith('.body');
    };
    handles.sync = async function () {
      await sync.call(this);
      if (isNamed) await stop();
    };`,
  'while it splits': `
    const { read } = handles;
    handles.read = async function (buffer, offset, length, position) {
      if (length > 65536 && position >= 2097152) await stop();
      return read.call(this, buffer, offset, length, position);
    };`,
  'before it removes the file': `
    const { unlink } = fs;
    fs.unlink = async (path) => {
      if (String(path).endsWith('.body')) await stop();
      return unlink(path);
    };`,
};

/** Returns arguments of Node by which a receiver stops at a point, as a slow disk would hold it there. It makes the file `marker` then. */
export function stopAt(point: StopPoint, marker: string): readonly string[] {
  const text = `
    import { writeFileSync } from 'node:fs';
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const stop = () => {
      writeFileSync(${JSON.stringify(marker)}, '');
      return new Promise(() => undefined);
    };
    const file = await fs.open(process.execPath);
    const handles = Object.getPrototypeOf(file);
    await file.close();
    ${REPLACEMENTS[point]}
    syncBuiltinESMExports();`;
  return ['--import', `data:text/javascript,${encodeURIComponent(text)}`];
}
