import { setTimeout as wait } from 'node:timers/promises';
import { untilSeen } from '../support/until-seen.ts';
import type { App } from './app.ts';
import { lookForUnseen } from './check.ts';
import { growthOf, sumOf } from './evidence.ts';
import { anyOf } from './fault.ts';
import type { Line, Link } from './link.ts';
import type { SystemUnderTest } from './system-under-test.ts';

/** One of the apps by chance, with its own link. */
export function withLink(system: SystemUnderTest, apps: readonly App[], line: Line): [App, Link] {
  const app = anyOf(system, apps);
  const link = system.links[line][apps.indexOf(app)];
  if (link === undefined) throw new Error(`${app.name} has no link of ${line}.`);
  return [app, link];
}

/** So many events are accepted without Redis: several jobs for each receiver. */
const BACKLOG_EVENTS = 2000;
const BACKLOG_LIMIT_MS = 60_000;
/** Makes catching up so slow that it can be looked at; in ms. */
const CATCH_UP_DELAY_MS = 50;
/** The same where all of it is to take some seconds. */
const SLOW_MS = 150;
/** A receiver looks for journals that nobody holds every 10 s, and events have their way to go. In ms. */
const TAKE_OVER_LIMIT_MS = 60_000;

/**
 * Strikes a receiver, one by chance, while it catches up: part of what Redis missed has been enqueued and noted, and part has not.
 */
export async function midCatchUp(system: SystemUnderTest, strike: (receiver: App) => Promise<void>): Promise<void> {
  const [receiver, link] = withLink(system, system.receivers, 'receiver-Redis');
  link.delay(CATCH_UP_DELAY_MS);
  try {
    await withoutRedis(system, system.links['receiver-Redis']);
    const hasEnqueued = await growthOf(() => sumOf([receiver], 'landline_journal_reenqueued_records_total'));
    const hasMore = async () => (await sumOf([receiver], 'landline_journal_pending_records')) > 0;
    await untilSeen(`${receiver.name} catches up`, async () => (await hasEnqueued()) && hasMore());
    await strike(receiver);
  } finally {
    link.delay(0);
  }
}

/** A receiver that is going to crash with events that only its journal has, and the other, which is to take that over. */
export interface Heirloom {
  other: App;
  crash: () => Promise<void>;
  /** Resolves when all that was accepted before the crash is in the tables. @throws When that takes too long. */
  untilTakenOver: () => Promise<void>;
}

/** Leaves a journal to another receiver, as `strike` does it; the one that crashed is started again after that. */
export async function leaveJournal(
  system: SystemUnderTest,
  strike: (heirloom: Heirloom) => Promise<void>,
): Promise<void> {
  const { sent, postgres } = system;
  const [receiver, link] = withLink(system, system.receivers, 'receiver-Redis');
  const other = system.receivers.find((each) => each !== receiver) ?? receiver;
  let left = sent.mark();
  async function crash(): Promise<void> {
    await receiver.crash();
    left = sent.mark();
  }
  async function isTakenOver(): Promise<boolean> {
    await lookForUnseen(sent, postgres);
    return sent.isSeenUpTo(left);
  }
  const untilTakenOver = () => untilSeen('the journal is taken over', isTakenOver, TAKE_OVER_LIMIT_MS);
  try {
    await withoutRedis(system, [link], () => strike({ other, crash, untilTakenOver }));
  } finally {
    if (receiver.isRunning()) await receiver.crash();
    await receiver.start();
  }
}

/**
 * Calls `strike` while both receivers catch up with Redis, slowly, and no worker takes what they enqueue. What they catch up with is
 * older by `ageMs` than Redis' being back.
 */
export async function slowCatchUp(system: SystemUnderTest, ageMs: number, strike: () => Promise<void>): Promise<void> {
  const [lines, workers] = [system.links['receiver-Redis'], system.links['worker-Redis']];
  for (const link of workers) {
    link.refuse(true);
    link.reset();
  }
  for (const line of lines) line.delay(SLOW_MS);
  try {
    await withoutRedis(system, lines, () => wait(ageMs));
    await strike();
  } finally {
    for (const line of lines) line.delay(0);
    for (const link of workers) link.refuse(false);
  }
}

/** Waits until a receiver has enqueued something after the fact. */
export async function untilCatchingUp({ receivers }: SystemUnderTest): Promise<void> {
  const hasEnqueued = await growthOf(() => sumOf(receivers, 'landline_journal_reenqueued_records_total'));
  await untilSeen('the receivers catch up', hasEnqueued);
}

/** Waits until Redis has all that the receivers have. */
export async function untilCaughtUp({ receivers }: SystemUnderTest): Promise<void> {
  const isDone = async () => (await sumOf(receivers, 'landline_journal_pending_records')) === 0;
  await untilSeen('the receivers have caught up', isDone, TAKE_OVER_LIMIT_MS);
}

/** Takes Redis from receivers until there is something to catch up with, and gives it back after `strike`. */
async function withoutRedis(
  { sent }: SystemUnderTest,
  lines: readonly Link[],
  strike: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const before = sent.mark();
  for (const line of lines) {
    line.refuse(true);
    line.reset();
  }
  try {
    const hasBacklog = () => Promise.resolve(sent.mark() - before >= BACKLOG_EVENTS);
    await untilSeen(`${BACKLOG_EVENTS} events were accepted without Redis`, hasBacklog, BACKLOG_LIMIT_MS);
    await strike();
  } finally {
    for (const line of lines) line.refuse(false);
  }
}
