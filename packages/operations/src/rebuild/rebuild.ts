import { StoreError, type RebuildState } from '@landline/store';
import { counted } from '../counted.ts';
import { z } from 'zod';
import { OperationFailedError, OperationStoppedError } from '../errors.ts';
import type { OperationContext, OperationKind } from '../operation-kind.ts';
import { foldLedger } from './fold-ledger.ts';
import { retryWhileInUse } from './lock-retry.ts';
import { KEPT_MS } from './kept.ts';
import { findSwapped, openSchema, refuseDependents } from './open-schema.ts';
import type { RebuildPorts } from './rebuild-ports.ts';
import { REBUILD, rebuildRequestSchema } from './rebuild-request.ts';

/** So few owners are left to be compared while no event is applied. */
const FEW_SKIPPED = 500;
const MOST_ROUNDS = 20;

/** `landline_rebuild` says so of a swap. */
const TABLES_HAVE_CHANGED = '55000';

/** How long a rebuild that ends early tries to drop its tables, in ms. What is left then, `tidyRebuilds` drops. */
const DROP_MS = 5_000;

/**
 * Makes the kind of operations that builds all tables anew from the ledger: folds the ledger into a schema of its own, takes over what comes meanwhile, compares
 * row by row, and swaps where that is asked for. Without a swap the schema stays and follows what comes, so that a later operation swaps it within
 * moments; where nothing differs it is dropped.
 *
 * A worker that takes over goes on in the same schema. Where the code that folds is another one, it begins anew.
 */
export function rebuildKind(ports: RebuildPorts): OperationKind {
  return { kind: REBUILD, run: (context) => runRebuild(context, ports) };
}

interface Running {
  context: OperationContext;
  ports: RebuildPorts;
  schema: string;
}

async function runRebuild(context: OperationContext, ports: RebuildPorts): Promise<void> {
  const read = rebuildRequestSchema.safeParse(context.operation.filter);
  if (!read.success) throw new OperationFailedError(`The request cannot be read: ${z.prettifyError(read.error)}`);
  const swap = read.data.swap === 'yes';
  let schema: string | undefined;
  try {
    const swapped = await findSwapped(context, ports);
    if (swap && swapped === undefined) await refuseDependents(context, ports);
    schema = swapped ?? (await openSchema(context, ports, swap));
    const running = { context, ports, schema };
    const ended = swapped ?? (await takeStages(running, swap));
    await end(running, ended, swap);
  } catch (error) {
    if (schema !== undefined && isOver(context.signal)) await dropSoon(ports, schema);
    throw error;
  }
}

/** Whether nobody goes on with an operation that was stopped or has failed. */
function isOver({ aborted, reason }: AbortSignal): boolean {
  return !aborted || (reason instanceof OperationStoppedError && reason.code === 'cancelled');
}

/** Does what is left of all stages. Returns the schema that has what differs. */
async function takeStages(running: Running, swap: boolean): Promise<string> {
  const { context, ports, schema } = running;
  const { rebuilds } = ports;
  let state = await readState(running);
  // oxlint-disable no-await-in-loop -- one stage after the other
  while (state.stage !== 'ready') state = await takeStage(running, state);
  // Somebody may have made one since.
  await makeIndexes(running);
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
    await followAll(running);
    if ((await context.retry(() => rebuilds.compareSkipped(schema))) < FEW_SKIPPED) break;
  }
  const { id, fence } = context.operation;
  await context.hold();
  const ended = await retryWhileInUse(context, async () => {
    // The answer to a swap may have been lost with a connection.
    const swapped = swap ? await findSwapped(context, ports) : undefined;
    if (swapped !== undefined) return swapped;
    // What has come while it waited is taken over before events wait.
    await followAll(running);
    return rebuilds.finish({ id, fence }, schema, { swap }).catch(explainChange);
  });
  // oxlint-enable no-await-in-loop
  return ended ?? lost();
}

async function readState({ context, ports, schema }: Running): Promise<RebuildState> {
  return (await context.retry(() => ports.rebuilds.read(schema)))?.state ?? lost();
}

function lost(): never {
  throw new OperationFailedError('The schema of the rebuild is gone, or somebody else works in it.');
}

/** Does a stage, or a part of one. Returns the state to go on with. */
async function takeStage(running: Running, state: RebuildState): Promise<RebuildState> {
  const { context, ports, schema } = running;
  const { rebuilds } = ports;
  context.signal.throwIfAborted();
  switch (state.stage) {
    case 'fold':
      if (context.progress().total === null) {
        const total = await context.retry(() => rebuilds.countApplied());
        context.report({ total });
      }
      await foldLedger(context, ports, schema);
      return goOn(running, state, 'index');
    case 'index':
      await makeIndexes(running);
      await context.retry(() => rebuilds.analyze(schema));
      return goOn(running, state, 'carry');
    case 'carry':
      await followAll(running);
      await context.retry(() => rebuilds.findCarried(schema));
      await copyAll(running);
      return goOn(running, await readState(running), 'compare');
    case 'compare': {
      await followAll(running);
      const now = await readState(running);
      return (await context.retry(() => rebuilds.compareNext(schema, now))) ?? readState(running);
    }
    case 'ready':
      return state;
  }
}

async function makeIndexes({ context, ports, schema }: Running): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one index after the other
  while (await context.retry(() => ports.rebuilds.makeNextIndex(schema))) context.signal.throwIfAborted();
}

/** The tables are no longer what those of the rebuild were made like: it must begin anew. */
function explainChange(error: unknown): never {
  if (!(error instanceof StoreError) || error.code !== TABLES_HAVE_CHANGED) throw error;
  throw new OperationFailedError(`${error.message}. Nothing was swapped: type the command again.`, { cause: error });
}

async function goOn(
  { context, ports, schema }: Running,
  state: RebuildState,
  stage: RebuildState['stage'],
): Promise<RebuildState> {
  const next = { ...state, stage };
  return (await context.retry(() => ports.rebuilds.write(schema, state, next))) ? next : lost();
}

/** Takes over all that has changed since, and copies what that makes necessary. */
async function followAll(running: Running): Promise<void> {
  const { context, ports, schema } = running;
  // oxlint-disable no-await-in-loop -- until nothing is left
  for (;;) {
    context.signal.throwIfAborted();
    const { isDrained } = (await context.retry(() => ports.rebuilds.follow(schema))) ?? lost();
    if (isDrained) break;
  }
  // oxlint-enable no-await-in-loop
  await copyAll(running);
}

async function copyAll({ context, ports, schema }: Running): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- until nothing is left
  while (await context.retry(() => ports.rebuilds.copyCarried(schema))) context.signal.throwIfAborted();
}

/** Says what became of the rebuild, and tidies up. */
async function end({ context, ports, schema }: Running, ended: string, swap: boolean): Promise<void> {
  const { rebuilds } = ports;
  const differences = await context.retry(() => rebuilds.differences(ended));
  const isKept = swap || differences.length > 0;
  if (!isKept) await retryWhileInUse(context, () => rebuilds.drop(schema));
  if (swap || !isKept) await retryWhileInUse(context, () => rebuilds.unfollow());
  const what = describe(differences.length);
  const where = swap
    ? ` The old tables are in ${ended}.`
    : isKept
      ? ` The rebuilt tables are in ${ended} for ${KEPT_MS / 3_600_000} hours, or until they are swapped or dropped.`
      : '';
  const { message } = context.progress();
  context.report({
    message: `${message === null ? '' : `${message}. `}${what}${where}`,
    checkpoint: isKept ? { schema: ended } : {},
  });
}

function describe(differing: number): string {
  return differing === 0
    ? 'Nothing differs.'
    : `${counted(differing, 'column')} ${differing === 1 ? 'differs' : 'differ'}.`;
}

/** Drops what nobody goes on with. A failure is nobody's: the tables are dropped later then. */
async function dropSoon({ rebuilds }: RebuildPorts, schema: string): Promise<void> {
  const signal = AbortSignal.timeout(DROP_MS);
  const quiet = { signal, retry: <T>(work: () => Promise<T>) => work(), report: () => undefined };
  const context = { ...quiet, progress: () => ({ total: null, done: 0, failed: 0, message: null, checkpoint: null }) };
  try {
    await retryWhileInUse(context, () => rebuilds.drop(schema));
    await retryWhileInUse(context, () => rebuilds.unfollow());
  } catch {
    // See `tidyRebuilds`.
  }
}
