/**
 * Makes a reading that all who ask within a while share: one question is under way at a time, and its answer is kept.
 *
 * @param keepMs  How long an answer is kept.
 * @param now     The current time in ms, of a clock that is never set back.
 */
export function kept<T>(read: () => Promise<T>, keepMs: number, now = () => performance.now()): () => Promise<T> {
  let current: Promise<T> | undefined;
  let endsAt = Infinity;
  return () => {
    if (current !== undefined && now() < endsAt) return current;
    endsAt = Infinity;
    const reading = read();
    current = reading;
    const end = (ms: number) => {
      if (current === reading) endsAt = now() + ms;
    };
    // A fault is not kept: who asks next asks anew.
    reading.then(
      () => end(keepMs),
      () => end(0),
    );
    return reading;
  };
}

/** Rejects where a reading takes longer; the reading itself goes on. */
export async function within<T>(reading: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
