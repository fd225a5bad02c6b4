import fc from 'fast-check';
import type { JournalEntry } from '../../src/pending/entry.ts';
import { JournalUnavailableError } from '../../src/errors.ts';
import { event } from './a-journal.ts';
import { bodiesOf, type JournalModel, type ModelRecord } from './journal-model.ts';
import type { MarksLeft, World, WorldProcess } from './journal-world.ts';

const MINUTE_MS = 60_000;

/** A group that is being enqueued. */
interface UnderWay {
  entry: JournalEntry;
  records: ModelRecord[];
  process: WorldProcess;
  isFromJournal: boolean;
}

/** A world, and the groups that are being enqueued in it. */
export interface Scene {
  world: World;
  underWay: UnderWay[];
}

type Command = fc.AsyncCommand<JournalModel, Scene>;

const which = fc.nat(9);
const outcome = fc.constantFrom('enqueued', 'failed', 'open');

const appending = fc
  .record({ which, events: fc.integer({ min: 1, max: 3 }), bytes: fc.constantFrom(8, 300, 2000), outcome })
  .map((step) => command(`append ${JSON.stringify(step)}`, (model, scene) => append(model, scene, step)));

/** Every command that changes a journal or its surroundings. */
export const commands = fc.commands(
  [
    // Half of the steps are appends, else most worlds would be empty.
    ...Array.from({ length: 8 }, () => appending),
    fc
      .record({ which, outcome: fc.constantFrom('enqueued', 'failed') })
      .map((step) => command(`settle ${JSON.stringify(step)}`, (model, scene) => settleOne(model, scene, step))),
    fc
      .record({ which, maxEvents: fc.integer({ min: 1, max: 6 }), outcome })
      .map((step) => command(`take ${JSON.stringify(step)}`, (model, scene) => take(model, scene, step))),
    fc
      .record({ which, maxEvents: fc.integer({ min: 1, max: 3 }), gapMs: fc.constantFrom(0, 400, 1000) })
      .map((step) => command(`catch up ${JSON.stringify(step)}`, (model, scene) => catchUp(model, scene, step))),
    fc
      .constantFrom(1, 400, 999, 1000, 5000, 20 * MINUTE_MS)
      .map((ms) => command(`pass ${ms}`, (_model, { world }) => world.clock.pass(ms))),
    fc.constant(command('tick', tick)),
    fc
      .constantFrom(0, 1, 500, 1000, 1500, 10_000, Infinity)
      .map((ms) => command(`redo ${ms}`, (model, scene) => redo(model, scene, ms))),
    fc.constant(command('start', start)),
    fc
      .record({
        which,
        marks: fc.constantFrom<MarksLeft>('kept', 'kept', 'kept', 'lost', 'cut', 'empty'),
        tail: fc.constantFrom('nothing', 'record', 'record', 'record', 'zeros', 'beginning'),
        size: fc.integer({ min: 0, max: 1000 }),
      })
      .map((step) => command(`kill ${JSON.stringify(step)}`, (model, scene) => kill(model, scene, step))),
    which.map((step) => command(`close ${step}`, (model, scene) => close(model, scene, step))),
    fc.constant(command('drain', drain)),
    fc.constant(command('age', age)),
  ],
  { maxCommands: 40, size: 'max' },
);

function command(name: string, run: (model: JournalModel, scene: Scene) => unknown): Command {
  return { check: () => true, run: async (model, scene) => void (await run(model, scene)), toString: () => name };
}

/** Returns a living process; starts one where none lives. */
async function processOf({ world }: Scene, number: number): Promise<WorldProcess> {
  return world.processes[number % Math.max(1, world.processes.length)] ?? world.start();
}

async function append(
  model: JournalModel,
  scene: Scene,
  { which: number, events, bytes, outcome: told }: { which: number; events: number; bytes: number; outcome: string },
): Promise<void> {
  const process = await processOf(scene, number);
  const bodies = bodiesOf(model.records.length, events, bytes);
  const at = process.journal.now();
  try {
    const entry = await process.journal.append(bodies.map((body) => event(body)));
    const record = model.answered(bodies, at, process.owner);
    follow(model, scene, { entry, records: [record], process, isFromJournal: false }, told);
  } catch (error) {
    if (!(error instanceof JournalUnavailableError) || !model.options.isTight) throw error;
    // A journal refuses a group only because of records that Redis lacks, or that no process has taken over yet.
    if (!model.records.some((each) => each.isDue || each.mayRepeat || each.isInherited || each.holders.length > 0))
      throw error;
  }
}

/** The outcome that the caller reports at once; `open`: none yet. */
function follow(model: JournalModel, { underWay }: Scene, group: UnderWay, told: string): void {
  if (told === 'open') underWay.push(group);
  else settle(model, group, told === 'enqueued' ? 'enqueued' : 'failed');
}

function settle(
  model: JournalModel,
  { entry, records, process, isFromJournal }: UnderWay,
  told: 'enqueued' | 'failed',
): void {
  entry[told]();
  const reenqueuedAt = process.journal.now();
  model.settled(records, told, { process: process.owner, ...(isFromJournal && { reenqueuedAt }) });
}

function settleOne(model: JournalModel, { underWay }: Scene, step: { which: number; outcome: string }): void {
  const [group] = underWay.splice(step.which % Math.max(1, underWay.length), 1);
  if (group !== undefined) settle(model, group, step.outcome === 'enqueued' ? 'enqueued' : 'failed');
}

async function take(
  model: JournalModel,
  scene: Scene,
  { which: number, maxEvents, outcome: told }: { which: number; maxEvents: number; outcome: string },
): Promise<boolean> {
  const process = await processOf(scene, number);
  const group = await process.journal.takePending({ maxEvents, maxBytes: 10_000_000 });
  if (group === undefined) return false;
  const records = model.took(
    group.events.map(({ body }) => body),
    process.owner,
  );
  if (records.length !== group.records) throw new Error(`A group of ${records.length} records says ${group.records}.`);
  if (records.length > 1 && group.events.length > maxEvents) throw new Error('A group has more events than asked for.');
  follow(model, scene, { entry: group, records, process, isFromJournal: true }, told);
  return true;
}

/** Groups go to Redis one after the other, with some time between them. */
async function catchUp(
  model: JournalModel,
  scene: Scene,
  { which: number, maxEvents, gapMs }: { which: number; maxEvents: number; gapMs: number },
): Promise<void> {
  for (let i = 0; i < 4; i++) {
    scene.world.clock.pass(gapMs);
    await take(model, scene, { which: number, maxEvents, outcome: 'enqueued' });
  }
}

async function tick(model: JournalModel, { world }: Scene): Promise<void> {
  await world.tick();
  model.written();
}

async function redo(model: JournalModel, { world }: Scene, ms: number): Promise<void> {
  const since = Math.max(0, world.clock.options.now() - ms);
  await takeOverAll(model, { world });
  for (const { journal } of world.processes) await journal.redo(since);
  model.redo(since, world.clock.options.now());
}

async function start(_model: JournalModel, { world }: Scene): Promise<void> {
  if (world.processes.length < 3) await world.start();
}

async function kill(
  model: JournalModel,
  { world, underWay }: Scene,
  step: { which: number; marks: MarksLeft; tail: string; size: number },
): Promise<void> {
  const process = world.processes[step.which % Math.max(1, world.processes.length)];
  if (process === undefined) return;
  if (step.tail === 'record') {
    const bodies = bodiesOf(model.records.length, 2, 50);
    model.unanswered(bodies, process.journal.now(), process.owner).mayRepeat = step.size === 1000;
    await world.kill(process, { marks: step.marks, tail: { kind: 'record', bodies, permille: step.size } });
  } else if (step.tail === 'zeros') {
    await world.kill(process, { marks: step.marks, tail: { kind: 'zeros', bytes: step.size } });
  } else if (step.tail === 'beginning') {
    await world.kill(process, { marks: step.marks, tail: { kind: 'beginning', bytes: step.size % 12 } });
  } else await world.kill(process, { marks: step.marks, tail: { kind: 'nothing' } });
  // The others have written their marks.
  model.killed(process.owner, step.marks === 'kept');
  forgetProcess(underWay, process);
}

async function close(model: JournalModel, { world, underWay }: Scene, number: number): Promise<void> {
  const process = world.processes[number % Math.max(1, world.processes.length)];
  if (process === undefined) return;
  await world.close(process);
  model.closed(process.owner);
  forgetProcess(underWay, process);
}

function forgetProcess(underWay: UnderWay[], process: WorldProcess): void {
  underWay.splice(0, underWay.length, ...underWay.filter((group) => group.process !== process));
}

/** The living processes have taken over the files of the ended ones. */
async function takeOverAll(model: JournalModel, { world }: Pick<Scene, 'world'>): Promise<void> {
  if (world.processes.length === 0) await world.start();
  world.clock.pass(10_000);
  await world.tick();
  model.written();
}

/** Everything that is due comes back from some process, once. */
export async function drain(model: JournalModel, scene: Scene): Promise<void> {
  await takeOverAll(model, scene);
  for (let i = 0; i < scene.world.processes.length; i++) {
    while (await take(model, scene, { which: i, maxEvents: 4, outcome: 'enqueued' }));
  }
  model.drained();
}

/** Records that Redis has are removed when their retention is over. */
async function age(model: JournalModel, scene: Scene): Promise<void> {
  for (const group of scene.underWay.splice(0)) settle(model, group, 'enqueued');
  await drain(model, scene);
  for (const { journal } of scene.world.processes) journal.inherited().forEach((note) => journal.forget(note));
  scene.world.clock.pass(model.options.retentionMs + 16 * MINUTE_MS);
  await scene.world.tick();
  await scene.world.tick();
  for (const { journal } of scene.world.processes) await journal.redo(0);
  model.written();
  await drain(model, scene);
}
