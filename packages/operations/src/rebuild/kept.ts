import type { KeptTables, OperationStore, Rebuilds } from '@landline/store';
import type { RebuildPorts } from './rebuild-ports.ts';
import { REBUILD } from './rebuild-request.ts';

/** How long rebuilt tables that differ wait to be swapped, in ms: a day. Until then each event is applied to them as well. */
export const KEPT_MS = 24 * 3_600_000;

/** Tells whether tables are those of a rebuild that is not swapped; else they are the old ones of one that is. */
export function isRebuilt({ schema }: Pick<KeptTables, 'schema'>): boolean {
  return schema.startsWith('landline_rebuild_');
}

/**
 * Looks after rebuilt tables that no operation works on:
 *
 * - Those that wait to be swapped take over what has changed since, so that a swap is quick and nothing that is erased stays in them.
 * - Those that have waited for a day are dropped, and so are those of another code, and those of operations that ended early while no worker had them.
 *
 * The old tables of a swap stay, because they may be all that is left of what the new code does wrong.
 *
 * @param signal  Aborted when the worker leaves.
 */
export async function tidyRebuilds(
  operations: Pick<OperationStore, 'isUnderWay'>,
  { rebuilds, code }: RebuildPorts,
  signal: AbortSignal,
): Promise<void> {
  const kept = (await rebuilds.kept()).filter(isRebuilt);
  if (await operations.isUnderWay(REBUILD)) return;
  for (const tables of kept) {
    // oxlint-disable no-await-in-loop -- one after the other
    const build = await rebuilds.read(tables.schema);
    const isWaiting = build?.state.stage === 'ready' && build.code === (await code()) && isFresh(tables);
    if (isWaiting) await takeOver(rebuilds, tables, signal);
    else await rebuilds.drop(tables.schema);
    // oxlint-enable no-await-in-loop
  }
  await rebuilds.unfollow();
}

/** Tells whether rebuilt tables may still wait to be swapped. */
export function isFresh({ madeAt }: Pick<KeptTables, 'madeAt'>): boolean {
  return Date.now() - madeAt < KEPT_MS;
}

async function takeOver(rebuilds: Rebuilds, { schema }: KeptTables, signal: AbortSignal): Promise<void> {
  // oxlint-disable no-await-in-loop -- until nothing is left
  for (let isDrained = false; !isDrained && !signal.aborted;) {
    isDrained = (await rebuilds.follow(schema))?.isDrained ?? true;
  }
  while (!signal.aborted && (await rebuilds.copyCarried(schema)));
  // oxlint-enable no-await-in-loop
}
