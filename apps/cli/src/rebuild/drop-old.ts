import { setTimeout as delay } from 'node:timers/promises';
import { isRebuilt, REBUILD } from '@landline/operations';
import { openOperations, StoreError, type KeptTables } from '@landline/store';
import { complain } from '../operations/follow-operation.ts';
import { describeKept, droppedDocument } from './describe-rebuild.ts';
import type { RebuildCall } from './rebuild-call.ts';

/** How often it is tried to get a lock of tables in use, and the pause between, in ms. */
const TRIES = 30;
const PAUSE_MS = 500;

/** Drops the tables that swaps have replaced, and rebuilt ones that wait to be swapped. Asks before, unless `--yes`. Returns the exit code. */
export async function dropOld(call: RebuildCall): Promise<number> {
  const { wanted, context, rebuilds } = call;
  const { plan, json, yes } = wanted;
  const isRunning = await isAnyRunning(call);
  const kept = (await rebuilds.kept()).filter((tables) => !(isRunning && isRebuilt(tables)));
  if (plan || !json) context.print(json ? droppedDocument(kept) : describeAll(kept));
  if (plan) return 0;
  if (!yes && kept.length > 0 && !(await context.ask?.('Drop them?'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const { schema } of kept) await untilFree(() => rebuilds.drop(schema));
  if (kept.some(isRebuilt)) await untilFree(() => rebuilds.unfollow());
  if (json) context.print(droppedDocument(kept));
  else if (kept.length > 0) context.print(`Dropped ${kept.length}.`);
  return 0;
}

/** The tables of a rebuild that runs or is about to are its own. */
async function isAnyRunning({ databaseUrl }: RebuildCall): Promise<boolean> {
  const operations = openOperations(databaseUrl, { isReadOnly: true });
  try {
    return await operations.isUnderWay(REBUILD);
  } finally {
    await operations.close();
  }
}

async function untilFree(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until nobody has the tables
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError) || error.faultClass !== 'conflict' || tries >= TRIES) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop -- until nobody has the tables
    await delay(PAUSE_MS);
  }
}

function describeAll(kept: readonly KeptTables[]): string {
  return kept.length === 0 ? 'There are no old tables.' : kept.map(describeKept).join('\n');
}
