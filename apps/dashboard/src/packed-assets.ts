import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const pack = promisify(gzip);

/** Scripts and styles, whose names have a hash of their content. */
const PACKABLE = /^assets\/[\w.-]+\.(js|css)$/;

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** A file as it is sent with `Content-Encoding: gzip`. */
export interface PackedAsset {
  type: string;
  bytes: Buffer;
}

/** Gives the packed form of a file; undefined where it is not there, or is sent as it is. */
export type PackAsset = (path: string) => Promise<PackedAsset | undefined>;

/** Packs scripts and styles of a folder at their first use, and keeps them: they are a third then, and there are few. */
export function packedAssets(folder: string): PackAsset {
  const packed = new Map<string, PackedAsset>();
  return async (path) => {
    const known = packed.get(path);
    const [, extension = ''] = PACKABLE.exec(path) ?? [];
    const type = TYPES[extension];
    if (known !== undefined || type === undefined) return known;
    const content = await readFile(join(folder, path)).catch(() => undefined);
    if (content === undefined) return undefined;
    const asset = { type, bytes: await pack(content, { level: 9 }) };
    packed.set(path, asset);
    return asset;
  };
}
