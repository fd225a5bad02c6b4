/** Something that a storage keeps. */
export interface StoredObject {
  /** `file:<absolute path>` or `s3://<bucket>/<key>`: literal text, without percent-encoding. */
  url: string;
}

/** What is stored, and under which key. */
export interface PutOptions {
  /** Of `recordingKey` or `bodyKey`. */
  key: string;
  /** The size of the content. */
  bytes: number;
  /** The SHA-256 of the content, in lower-case hex. */
  sha256: string;
  contentType: string;
  /** Reads the content from its beginning. A storage calls it again for each attempt. */
  open: () => AsyncIterable<Buffer>;
}

/** What of a content is read. */
export interface ReadOptions {
  /** The offset of the first byte; 0 by default. */
  start?: number | undefined;
  /** The offset of the last byte, that byte included, as in HTTP's `Range`; by default the content's last byte. */
  end?: number | undefined;
  /** Its abort ends the reading with its reason. */
  signal?: AbortSignal | undefined;
}

/** Keeps recordings: a folder or an S3 bucket. */
export interface Storage {
  /**
   * Stores a content once, and resolves when it is durable.
   *
   * - The key holds the same content already: nothing is written.
   * - The key holds another content: the key gets `-<first 16 digits of sha256>` before its extension.
   *
   * @throws StorageError; then nothing was stored. An error of `open` passes through as it is.
   */
  put(options: PutOptions): Promise<StoredObject>;
  /**
   * Reads a stored content, or a range of it. What of the range is behind the content's end is left out.
   *
   * @throws StorageError, of code `missing` where nothing is stored at `url`; RangeError for a range that is none; the reason of `signal`
   */
  read(url: string, options?: ReadOptions): AsyncIterable<Buffer>;
  /** Tells the size of a stored content, in bytes. @throws StorageError, of code `missing` where nothing is stored at `url` */
  sizeOf(url: string): Promise<number>;
  /** Removes a stored content; does nothing where it is gone. @throws StorageError */
  remove(url: string): Promise<void>;
  /** Resolves when the storage would take a write now. @throws StorageError */
  check(): Promise<void>;
  /** Closes all connections. Operations under way fail with the code `unavailable`. */
  close(): void;
}
