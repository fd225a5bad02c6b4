/** Failed logins of one address within `WINDOW_MS`, after which it is not heard until that is over. */
const MOST_FAILURES = 10;
const WINDOW_MS = 60_000;

/** Addresses that are remembered at once; past this the one that failed first is forgotten. */
const MOST_ADDRESSES = 10_000;

/** Parts of an IPv6 address that one holder has: what comes after them is the holder's to choose. */
const IPV6_PARTS = 4;

/** Counts failed logins by address. */
export interface LoginLimit {
  /** Milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number;
  /** Notes a failed login; true where it is the last that is heard. */
  fail(address: string): boolean;
}

/**
 * Makes a limit on guessing: ten failed logins of an address in a minute, then none until the minute is over. Its memory is bounded.
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

/** Who an address belongs to: of IPv6 its first half, unless it is an IPv4 address in disguise. */
function holderOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const parts = head.split(':').filter(Boolean);
  const rest = tail?.split(':').filter(Boolean) ?? [];
  const zeros = Array.from({ length: Math.max(0, 8 - parts.length - rest.length) }, () => '0');
  return [...parts, ...(tail === undefined ? [] : zeros), ...rest].slice(0, IPV6_PARTS).join(':');
}
