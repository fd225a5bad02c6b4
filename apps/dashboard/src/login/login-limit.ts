/** How many logins of one address may fail within `WINDOW_MS`. After that the dashboard refuses the address until the window ends. */
const MOST_FAILURES = 10;
/** The window in which failed logins count, in ms. */
const WINDOW_MS = 60_000;

/** How many addresses the limit remembers. At one more it forgets the address that failed first. */
const MOST_ADDRESSES = 10_000;

/** How many parts of an IPv6 address identify its holder, who chooses the rest. */
const IPV6_PARTS = 4;

/** Counts failed logins by address. */
export interface LoginLimit {
  /** Returns the milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number;
  /** Counts a failed login. Returns true where the dashboard refuses the address from now on. */
  fail(address: string): boolean;
}

/**
 * Makes a limit on guesses: after ten failed logins of an address within a minute, none until the minute is over. Its memory is bounded.
 *
 * @param now  The current time in milliseconds, of a clock that is never set back.
 */
export function createLoginLimit(now: () => number = () => performance.now()): LoginLimit {
  const failures = new Map<string, { count: number; since: number }>();

  function current(holder: string): { count: number; since: number } | undefined {
    const found = failures.get(holder);
    if (found === undefined || now() - found.since < WINDOW_MS) return found;
    failures.delete(holder);
    return undefined;
  }

  return {
    waitMs(address) {
      const found = current(holderOf(address));
      return found !== undefined && found.count >= MOST_FAILURES ? Math.max(1, found.since + WINDOW_MS - now()) : 0;
    },
    fail(address) {
      const holder = holderOf(address);
      const { count, since } = current(holder) ?? { count: 0, since: now() };
      const [first] = failures.keys();
      if (failures.size >= MOST_ADDRESSES && first !== undefined && !failures.has(holder)) failures.delete(first);
      failures.set(holder, { count: count + 1, since });
      return count + 1 === MOST_FAILURES;
    },
  };
}

/** Returns the holder of an address: the first half of an IPv6 address, or a whole IPv4 address, also one mapped to IPv6. */
function holderOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const parts = head.split(':').filter(Boolean);
  const rest = tail?.split(':').filter(Boolean) ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - parts.length - rest.length) }, () => '0');
  return [...parts, ...(tail === undefined ? [] : zeros), ...rest].slice(0, IPV6_PARTS).join(':');
}
