import { idempotencyKey } from '@landline/webhook';
import { deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { verify, type SignatureFault } from '@landline/webhook/verify';

/** A refused request as it was kept. Times in unix milliseconds. */
export interface KeptRequest {
  /** A uuid. */
  id: string;
  receivedAt: number;
  /** What was found about it when it came. */
  cause: string;
  /** The signature header; an array where it was repeated, null where it was missing. */
  header: string | readonly string[] | null;
  /** The bytes that were kept; null where the receiver read none. */
  body: Uint8Array | null;
  /** Of the whole body; null: unknown. */
  bodyBytes: number | null;
  /** Null: it was not readmitted. */
  readmittedAt: number | null;
}

/** What a signature is verified with today. */
export interface Accepting {
  /** Accepted keys, newest first. */
  secrets: readonly string[];
  /** The greatest age of a signature when its request came, in seconds. */
  toleranceSeconds: number;
}

/** Why a request cannot be readmitted: its signature is still not good, it was readmitted and the ledger has it, or not all of its body was kept. */
export type UnfitReason = SignatureFault | 'already_readmitted' | 'body_cut' | 'body_unread';

/** The event that a refused request is, or why it is none. */
export type Readmission = { ok: true; delivery: Delivery } | { ok: false; reason: UnfitReason };

/** Verifies a refused request with today's secrets, at the time of its receipt; also one that was readmitted before. Pure. */
export function readmissionOf(request: KeptRequest, { secrets, toleranceSeconds }: Accepting): Readmission {
  const { body, bodyBytes, header, receivedAt } = request;
  if (body === null) return { ok: false, reason: 'body_unread' };
  if (bodyBytes !== null && body.length < bodyBytes) return { ok: false, reason: 'body_cut' };
  const now = Math.floor(receivedAt / 1000);
  const verdict = verify(body, header ?? undefined, { secrets, now, toleranceSeconds });
  if (!verdict.ok) return { ok: false, reason: verdict.code };
  const { signedAt, secretId } = verdict;
  return { ok: true, delivery: deliveryOf(body, { receivedAt, signedAt, secretId, origin: 'readmitted' }) };
}

/** Counts of refused requests. */
export interface ReadmissionCounts {
  total: number;
  /** How many can be readmitted, or were. */
  readmitted: number;
  /** The same by cause. */
  byCause: Record<string, { total: number; readmitted: number }>;
  /** How many cannot be readmitted, by reason. */
  unfit: Partial<Record<UnfitReason, number>>;
  /** When the first and the last of all came, in unix milliseconds; null where there is none. */
  first: number | null;
  last: number | null;
}

/** Returns counts of nothing. */
export function noReadmissions(): ReadmissionCounts {
  return { total: 0, readmitted: 0, byCause: {}, unfit: {}, first: null, last: null };
}

/** Tells which of these events the ledger has, by their ids. */
export type KnownEvents = (ids: readonly string[]) => Promise<ReadonlySet<string>>;

/** Where readmitted events go. */
export interface ReadmissionPorts {
  /** Resolves when the events are durable. */
  enqueue: (events: readonly Delivery[]) => Promise<void>;
  /** Notes that these requests were readmitted. */
  mark: (ids: readonly string[]) => Promise<void>;
}

/**
 * Readmits those of a page of requests whose signature is good with today's secrets, and adds to `counts`. Without `ports` it only counts. One that was readmitted
 * before is readmitted again where the ledger does not have it: Redis may have lost it before it was applied, and no journal holds it.
 * Safe to repeat: where it was cut off between the two ports, the events are enqueued again, and the ledger skips them.
 *
 * @throws what the ports throw; then `counts` stays as it was.
 */
export async function readmitPage(
  requests: readonly KeptRequest[],
  { counts, accepting, known, ports }: Readmitting,
): Promise<void> {
  const read = await settle(
    requests.map((request) => ({ request, readmission: readmissionOf(request, accepting) })),
    known,
  );
  const good = read.flatMap(({ request: { id }, readmission }) =>
    readmission.ok ? [{ id, delivery: readmission.delivery }] : [],
  );
  if (ports !== undefined && good.length > 0) {
    await ports.enqueue(good.map(({ delivery }) => delivery));
    await ports.mark(good.map(({ id }) => id));
  }
  for (const { request, readmission } of read) count(counts, request, readmission);
}

/** What a page is readmitted with. */
export interface Readmitting {
  counts: ReadmissionCounts;
  accepting: Accepting;
  known: KnownEvents;
  ports?: ReadmissionPorts;
}

interface Verified {
  request: KeptRequest;
  readmission: Readmission;
}

/** Refuses what was readmitted before and is in the ledger. */
async function settle(verified: readonly Verified[], known: KnownEvents): Promise<Verified[]> {
  const ids = new Map(
    verified.flatMap(({ request, readmission }) =>
      readmission.ok && request.readmittedAt !== null && request.body !== null
        ? [[request.id, idempotencyKey(Buffer.from(request.body))]]
        : [],
    ),
  );
  const there = ids.size === 0 ? new Set<string>() : await known([...ids.values()]);
  return verified.map(({ request, readmission }) =>
    there.has(ids.get(request.id) ?? '')
      ? { request, readmission: { ok: false, reason: 'already_readmitted' } }
      : { request, readmission },
  );
}

function count(counts: ReadmissionCounts, { cause, receivedAt }: KeptRequest, readmission: Readmission): void {
  const ofCause = (counts.byCause[cause] ??= { total: 0, readmitted: 0 });
  for (const each of [counts, ofCause]) {
    each.total += 1;
    each.readmitted += Number(readmission.ok);
  }
  if (!readmission.ok) counts.unfit[readmission.reason] = (counts.unfit[readmission.reason] ?? 0) + 1;
  counts.first = Math.min(counts.first ?? receivedAt, receivedAt);
  counts.last = Math.max(counts.last ?? receivedAt, receivedAt);
}
