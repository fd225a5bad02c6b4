import { z } from 'zod';
import type { Run } from '../connection/transactions.ts';
import type { Lease } from '../operations/operation-statements.ts';
import { compareSkipped } from './compare-tables.ts';
import type { FoldTarget } from './fold-events.ts';
import { carryDroppedDays, copyCarried, followChanges, readBodyDays, type Followed } from './follow-changes.ts';
import {
  beganStatement,
  claimStatement,
  DEPENDENTS,
  heldStatement,
  isThereStatement,
  keptStatement,
  nextStateStatement,
  PLAN,
  SCHEMAS,
  shortLimits,
  stateStatement,
  stepStatement,
  STOP_WRITERS,
  type RebuildStep,
} from './rebuild-statements.ts';
import {
  keptSchema,
  rebuildStateSchema,
  type KeptTables,
  type RebuildPlan,
  type RebuildState,
} from './rebuild-state.ts';

// The steps of a rebuild, each inside one transaction.

/** How long events wait at most for a lock that waits for others, and for a statement under a lock that they wait for, in ms. */
export const LOCK_MS = 1_000;
const HOLD_MS = 60_000;

/** The code that a rebuild was folded with, and how far it is. */
export interface RebuildBuild {
  code: string;
  state: RebuildState;
}

/** Ends a transaction that must have no effect, because another worker does its work. */
export type Lose = () => never;

/** Has the owner of the tables do a step. */
export async function takeStep(run: Run, step: RebuildStep, target: string): Promise<string | undefined> {
  const result = (await run(stepStatement(step, target)))[0]?.['result'];
  return typeof result === 'string' ? result : undefined;
}

/** Makes the schema of an operation. */
export async function begin(run: Run, operation: string, code: string): Promise<string> {
  await run(shortLimits({ lockMs: LOCK_MS, statementMs: HOLD_MS }));
  const schema = (await takeStep(run, 'begin', operation)) ?? '';
  const state = rebuildStateSchema.parse({ days: await readBodyDays(run) });
  await run(beganStatement(schema, code, state));
  return schema;
}

const buildSchema = z.object({ code: z.string(), state: rebuildStateSchema });

/** Reads how far a rebuild is; undefined where its schema is gone. */
export async function readBuild(run: Run, schema: string, { isHeld = false } = {}): Promise<RebuildBuild | undefined> {
  if ((await run(isThereStatement(schema)))[0]?.['is_there'] !== true) return undefined;
  return buildSchema.parse((await run(stateStatement(schema, isHeld)))[0]);
}

/** How a state is written in place of another one. */
export interface Written {
  schema: string;
  states: readonly [RebuildState, RebuildState];
  /** See `nextStateStatement`. */
  isAgain?: boolean;
}

/** Writes a state in place of another one; returns false where another worker has written one in between. */
export async function writeState(run: Run, { schema, states, isAgain = false }: Written): Promise<boolean> {
  return (await run(nextStateStatement(schema, states, isAgain))).length > 0;
}

/** Drops a schema with its tables, where it is still there. */
export async function drop(run: Run, schema: string): Promise<void> {
  if ((await run(isThereStatement(schema)))[0]?.['is_there'] === true) await takeStep(run, 'drop', schema);
}

/** Takes over some of what has changed since. */
export async function follow(run: Run, target: FoldTarget, lose: Lose): Promise<Followed> {
  const { schema } = target;
  // What another one takes, and has not committed, would seem to be taken over.
  const { state } = (await readBuild(run, schema, { isHeld: true })) ?? lose();
  const next = await carryDroppedDays(run, schema, state);
  if (next !== state && !(await writeState(run, { schema, states: [state, next] }))) lose();
  return followChanges(run, target);
}

/** What a rebuild is finished with. */
export interface FinishOptions extends FoldTarget {
  lease: Lease;
  swap: boolean;
}

/** Takes over the rest while no event is applied, compares what is left, and swaps where that is asked for. Returns the schema to go on with. */
export async function finish(run: Run, { lease, swap, ...target }: FinishOptions, lose: Lose): Promise<string> {
  const { schema } = target;
  await run(shortLimits({ lockMs: LOCK_MS, statementMs: HOLD_MS }));
  await run(STOP_WRITERS);
  if ((await run(heldStatement(lease))).length === 0) lose();
  const { state } = (await readBuild(run, schema, { isHeld: true })) ?? lose();
  const next = await carryDroppedDays(run, schema, state);
  // oxlint-disable no-await-in-loop -- until nothing is left
  while (!(await followChanges(run, target)).isDrained);
  while (await copyCarried(run, schema));
  while ((await compareSkipped(run, schema)) > 0);
  // oxlint-enable no-await-in-loop
  if (!(await writeState(run, { schema, states: [state, { ...next, stage: 'ready' }] }))) lose();
  if (!swap) return schema;
  await run(claimStatement(schema, lease.id));
  return (await takeStep(run, 'swap', schema)) ?? lose();
}

const planSchema = z.object({
  events: z.number(),
  withoutBody: z.number(),
  bodyBytes: z.number(),
  tableBytes: z.number(),
});

/** Says what a rebuild would be about. */
export async function readPlan(run: Run): Promise<RebuildPlan> {
  const plan = planSchema.parse((await run(PLAN))[0]);
  return { ...plan, kept: await listKept(run), dependents: await readDependents(run) };
}

/** Lists what somebody else has made on the tables. */
export async function readDependents(run: Run): Promise<string[]> {
  return (await run(DEPENDENTS)).map(({ what }) => String(what));
}

/** Lists the tables beside those that are read. */
export async function listKept(run: Run): Promise<KeptTables[]> {
  const kept: KeptTables[] = [];
  for (const { schema } of await run(SCHEMAS)) {
    // oxlint-disable-next-line no-await-in-loop -- one statement after the other
    kept.push(...z.array(keptSchema).parse(await run(keptStatement(String(schema)))));
  }
  return kept;
}
