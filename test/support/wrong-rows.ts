import { readTables, type RunSql } from '../../packages/store/test/support/read-tables.ts';
import { differencesOf, differenceText } from './compare-tables.ts';
import { doubledRows, REPEATED, type Doubled } from './count-effects.ts';
import { ledgerId, referenceFold } from './reference-fold.ts';
import type { DescribedEvent } from './described-event.ts';

/** Returns the rows that had more effects than events; `countEffects` must have run before the first event. */
export async function doubledAmong(events: readonly DescribedEvent[], sql: RunSql): Promise<Doubled[]> {
  const doubled = doubledRows(await sql(REPEATED));
  doubled.add(events);
  return doubled.rest();
}

/** Returns a line for each row of any table that differs in a column from the reference's row. The events came by a receiver that keeps no audio. */
export async function wrongRows(sent: readonly DescribedEvent[], sql: RunSql): Promise<string[]> {
  const events = sent.map(withoutAudio);
  const received = receivedEvents(events, await sql(RECEIVED));
  return differencesOf(referenceFold(received), await readTables({ sql })).map(differenceText);
}

/** Selects when the ledger received each event: `id`, `outcome`, and `at` in unix milliseconds. */
export const RECEIVED =
  'SELECT id, outcome, round(extract(epoch FROM received_at) * 1000)::float8 AS at FROM webhook_events';

/**
 * Returns the events that the ledger has and that are no dead letters, each with its time of receipt. That time decides
 * between events at one time.
 *
 * @param ledger  The rows of `RECEIVED`.
 */
export function receivedEvents(
  events: readonly DescribedEvent[],
  ledger: readonly Record<string, unknown>[],
): (DescribedEvent & { receivedAt: number })[] {
  const times = new Map(
    ledger.flatMap(({ id, outcome, at }) => (outcome === 'dead' ? [] : [[id, Number(at)] as const])),
  );
  return events.flatMap((event) => {
    const receivedAt = times.get(event.reference?.eventId ?? ledgerId(event.body));
    return receivedAt === undefined ? [] : [{ ...event, receivedAt }];
  });
}

/** Returns an event as the receiver enqueues it: the audio is cut out of the body, and not kept. */
export function withoutAudio(event: DescribedEvent): DescribedEvent {
  const { body, facts } = event;
  const [whole, text = ''] = /"full_audio":"([^"]+)"/.exec(body) ?? [];
  if (event.type !== 'post_call_audio' || whole === undefined || facts?.recording === undefined) return event;
  const { bytes, sha256 } = facts.recording;
  const from = body.indexOf(whole) + whole.length - text.length - 1;
  const at = Buffer.byteLength(body.slice(0, from));
  const recording = { at, bytes, sha256, contentType: 'audio/mpeg', url: null, storedAt: null };
  return {
    ...event,
    body: body.slice(0, from) + body.slice(from + text.length),
    reference: { eventId: ledgerId(body), bytes: Buffer.byteLength(body), recording },
  };
}
