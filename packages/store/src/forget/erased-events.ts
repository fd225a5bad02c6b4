import { isCanary } from '@landline/webhook/canary';
import type { LedgerEntry } from '@landline/webhook/changes';
import { plainArray } from '../connection/statement.ts';
import type { Run } from '../connection/transactions.ts';
import { forgetInLedger } from './forget-ledger.ts';
import { removeLaterStatement } from './recordings-to-remove.ts';

/** Returns the conversation of an event; undefined for one that names none, and for a canary. */
export function conversationOf(event: { entry: LedgerEntry }): string | undefined {
  return isCanary(event) ? undefined : (event.entry.conversationId ?? undefined);
}

/** Returns what the storage has of an event: its audio, and its whole body. */
export function storedUrls({ entry: { delivery } }: { entry: LedgerEntry }): string[] {
  return [delivery.reference?.recording?.url, delivery.reference?.bodyUrl].flatMap((url) => url ?? []);
}

/**
 * Leaves nothing but the ids of events whose conversation is erased: the transaction has recorded them, with their bodies, before it could know.
 * What the storage has of them by now is put on the list of what is to be removed.
 *
 * @param isNew  Tells whether this transaction has recorded an event. A repeat has brought its audio all the same.
 */
export async function forgetErased(
  events: readonly { entry: LedgerEntry }[],
  isNew: (id: string) => boolean,
  run: Run,
): Promise<void> {
  const ids = [...new Set(events.map(({ entry: { id } }) => id))].filter(isNew);
  const urls = new Set(events.flatMap(storedUrls));
  if (ids.length > 0) {
    await run({ sql: IGNORE, parameters: [plainArray(ids)] });
    await forgetInLedger({ events: ids }, { transcript: true, audio: true }, run);
  }
  if (urls.size > 0) await run(removeLaterStatement([...urls]));
}

/** They change no table, which is what ignored means. */
const IGNORE = `UPDATE webhook_events SET outcome = 'ignored', applied_at = NULL WHERE id = ANY ($1::uuid[])`;
