import { StoreError, type Rebuilds } from '@landline/store';
import { OperationFailedError } from '../errors.ts';
import type { OperationContext } from '../operation-kind.ts';
import { isFresh, isRebuilt } from './kept.ts';
import { retryWhileInUse } from './lock-retry.ts';
import type { RebuildPorts } from './rebuild-ports.ts';
import { rebuildCheckpointSchema } from './rebuild-request.ts';

/** Postgres says so of a schema that is to be made. */
const SCHEMA_IS_THERE = '42P06';

/** The schema that has the old tables, where the worker before has swapped them and died before it could say so. */
export async function findSwapped(
  { operation, retry }: OperationContext,
  { rebuilds }: RebuildPorts,
): Promise<string | undefined> {
  const kept = await retry(() => rebuilds.kept());
  return kept.find((tables) => tables.operation === operation.id && !isRebuilt(tables))?.schema;
}

/** Refuses a swap that would leave something of somebody else's on the old tables. @throws OperationFailedError */
export async function refuseDependents({ retry }: OperationContext, { rebuilds }: RebuildPorts): Promise<void> {
  const dependents = await retry(() => rebuilds.dependents());
  if (dependents.length === 0) return;
  throw new OperationFailedError(
    `A swap would leave these on the old tables: ${dependents.join(', ')}. Drop them, and make them again after the swap.`,
  );
}

/** Returns the schema to go on with: that of the worker before, one that is kept and ready to be swapped, or a new one. */
export async function openSchema(
  context: OperationContext,
  { rebuilds, code }: RebuildPorts,
  swap: boolean,
): Promise<string> {
  const { operation, retry } = context;
  const current = await code();
  const own = rebuildCheckpointSchema.parse(operation.checkpoint ?? {}).schema;
  const kept = (await retry(() => rebuilds.kept())).filter(isRebuilt);
  for (const tables of kept) {
    // oxlint-disable no-await-in-loop -- one after the other
    const build = await retry(() => rebuilds.read(tables.schema));
    const isReady = swap && build?.state.stage === 'ready' && isFresh(tables);
    if (build?.code === current && (tables.schema === own || (own === undefined && isReady))) {
      // Where its own are gone on with, the checkpoint has them, and how far the ledger is folded.
      if (own === undefined) context.report({ checkpoint: { schema: tables.schema } });
      return tables.schema;
    }
    // oxlint-enable no-await-in-loop
  }
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const { schema } of kept) await retryWhileInUse(context, () => rebuilds.drop(schema));
  const schema = await retryWhileInUse(context, () => beginAnew(rebuilds, operation.id, current).catch(explainRefusal));
  context.report({ total: null, done: 0, failed: 0, checkpoint: { schema } });
  return schema;
}

/** Begins; where the answer to an earlier attempt was lost, its schema goes first. */
async function beginAnew(rebuilds: Rebuilds, operation: string, code: string): Promise<string> {
  try {
    return await rebuilds.begin(operation, code);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== SCHEMA_IS_THERE) throw error;
    await rebuilds.drop(`landline_rebuild_${operation.replaceAll('-', '')}`);
    return rebuilds.begin(operation, code);
  }
}

/** A right that is missing does not come by waiting. */
function explainRefusal(error: unknown): never {
  if (!(error instanceof StoreError) || error.code !== '42501') throw error;
  throw new OperationFailedError(
    `The tables cannot be made: ${error.message}. The owner of the tables needs CREATE on the database, and the worker EXECUTE on the function landline_rebuild: "landline roles" grants both.`,
    { cause: error },
  );
}
