import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** A body may unpack to so many bytes: a small one may name gigabytes. */
const MOST_UNPACKED_BYTES = 1024 * 1024;

type Unpack = (bytes: Uint8Array, limits: { maxOutputLength: number }) => Buffer;

const BY_ENCODING: Readonly<Record<string, readonly Unpack[]>> = {
  gzip: [gunzipSync],
  'x-gzip': [gunzipSync],
  deflate: [inflateSync, inflateRawSync],
  br: [brotliDecompressSync],
  zstd: [],
  compress: [],
};

/** The first bytes of a compressed body, by its name. */
const BY_START: Readonly<Record<string, { start: readonly number[]; unpack: readonly Unpack[] }>> = {
  'gzip bytes': { start: [0x1f, 0x8b], unpack: [gunzipSync] },
  'zstd bytes': { start: [0x28, 0xb5, 0x2f, 0xfd], unpack: [] },
  'deflate bytes': { start: [0x78, 0x9c], unpack: [inflateSync] },
  // The levels of zlib beside the default one.
  'deflate bytes, fast': { start: [0x78, 0x01], unpack: [inflateSync] },
  'deflate bytes, best': { start: [0x78, 0xda], unpack: [inflateSync] },
};

/** How a body seems to be compressed. */
export interface Compression {
  /** As a detail of the diagnosis: the header, or what the first bytes are. */
  by: string;
  unpack: readonly Unpack[];
}

/** Finds how a body is compressed: by its Content-Encoding, else by its first bytes. Returns undefined where it is not. */
export function findCompression(body: Uint8Array, encoding: string | undefined): Compression | undefined {
  const named = encoding?.trim().toLowerCase() ?? '';
  const unpack = Object.hasOwn(BY_ENCODING, named) ? BY_ENCODING[named] : undefined;
  if (unpack !== undefined) return { by: `Content-Encoding: ${named}`, unpack };
  for (const [by, { start, unpack: own }] of Object.entries(BY_START)) {
    if (start.every((byte, i) => body[i] === byte)) return { by, unpack: own };
  }
  return undefined;
}

/** Unpacks a body in every way that may be meant. What is damaged, or unpacks to more than a mebibyte, is left out. */
export function decompress(body: Uint8Array, { unpack }: Compression): Buffer[] {
  return unpack.flatMap((way) => {
    try {
      return [way(body, { maxOutputLength: MOST_UNPACKED_BYTES })];
    } catch {
      return [];
    }
  });
}
