/** Bytes that several consumers of a process hold together. */
export interface SharedBytes {
  readonly held: number;
  /** Tells whether they hold `limitBytes` or more. */
  isFull(): boolean;
  add(bytes: number): void;
  /** Calls `onChange` whenever `isFull` has changed, until the returned function is called. */
  watch(onChange: () => void): () => void;
}

/** Makes shared bytes of which nothing is held. */
export function createSharedBytes(limitBytes: number): SharedBytes {
  const watchers = new Set<() => void>();
  let held = 0;
  return {
    get held() {
      return held;
    },
    isFull: () => held >= limitBytes,
    add(bytes) {
      const wasFull = held >= limitBytes;
      held += bytes;
      if (wasFull !== held >= limitBytes) for (const onChange of watchers) onChange();
    },
    watch(onChange) {
      watchers.add(onChange);
      return () => void watchers.delete(onChange);
    },
  };
}
