import type { KeptTables, OperationStore } from '@landline/store';
import type { RebuildPorts } from './rebuild-ports.ts';
import { REBUILD } from './rebuild-request.ts';

/** How long rebuilt tables that differ wait to be swapped, in ms: a day. Until then each event is applied to them as well. */
export const KEPT_MS = 24 * 3_600_000;

/** Operations that are looked at: of a kind, few are planned. */
const LOOKED_AT = 200;

/** Tells whether tables are those of a rebuild that is not swapped; else they are the old ones of one that is. */
export function isRebuilt({ schema }: Pick<KeptTables, 'schema'>): boolean {
  return schema.startsWith('landline_rebuild_');
}

/**
 * Drops rebuilt tables that nobody swaps any more: those of operations that ended early while no worker had them, and those that have waited for a day. The old
 * tables of a swap stay, because they may be all that is left of what the new code does wrong.
 */
export async function tidyRebuilds(
  operations: Pick<OperationStore, 'list'>,
  { rebuilds }: Pick<RebuildPorts, 'rebuilds'>,
): Promise<void> {
  const kept = (await rebuilds.kept()).filter(isRebuilt);
  const all = await operations.list(LOOKED_AT);
  if (all.some(({ kind, finishedAt }) => kind === REBUILD && finishedAt === null)) return;
  for (const { schema, madeAt } of kept) {
    // oxlint-disable no-await-in-loop -- one after the other
    const build = await rebuilds.read(schema);
    const isWaiting = build?.state.stage === 'ready' && Date.now() - madeAt < KEPT_MS;
    if (!isWaiting) await rebuilds.drop(schema);
    // oxlint-enable no-await-in-loop
  }
  await rebuilds.unfollow();
}
