/** Permits a burst, and then so many a second. */
export interface TokenBucket {
  /** Takes a token. Returns false where there is none. */
  take(): boolean;
}

/** Makes a full bucket; `now` is a monotonic clock, in ms. */
export function createTokenBucket(
  { burst, perSecond }: { burst: number; perSecond: number },
  now: () => number,
): TokenBucket {
  let tokens = burst;
  let filledAt = now();
  return {
    take() {
      const at = now();
      tokens = Math.min(burst, tokens + ((at - filledAt) * perSecond) / 1000);
      filledAt = at;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
