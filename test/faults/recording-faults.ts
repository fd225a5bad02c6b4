import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { stopAt, type StopPoint } from '../support/stop-points.ts';
import { untilSeen } from '../support/until-seen.ts';
import { spoolFiles } from './compare-objects.ts';
import { growthOf, sumOf } from './evidence.ts';
import { anyOf, type Fault } from './fault.ts';
import type { Moment } from './link.ts';
import { breakAt, crashAndRestart, restart } from './process-faults.ts';
import type { StorageTrouble } from './recording-storage.ts';
import type { SystemUnderTest } from './system-under-test.ts';
import { withLink } from './without-redis.ts';

const MEBIBYTE = 1024 * 1024;
/** So many large events reach both receivers, and among them are recordings and transcripts. */
const LARGE_EVENTS = 10;
const MARKER_LIMIT_MS = 60_000;
const LASTS_MS = 5000;
const MINUTE_MS = 60_000;
const SLOW_BYTES_PER_SECOND = 4_000_000;
const SLOW_MS = 20_000;
const HEAL_LIMIT_MS = 60_000;
const ROOM_MS = 5000;
/** What the small disk has left when it is made full, as a share: bodies come while it is made so. */
const SOME_FREE = 0.1;

/** The PUT of a recording's content. */
const STORE: Moment = { name: 'PUT', watch: () => (chunk) => chunk.includes('PUT /recordings/') };

function sendLarge({ load, sender }: SystemUnderTest, count = LARGE_EVENTS): void {
  for (let i = 0; i < count; i++) sender.send(load.large());
}

/** Attempts to store or enqueue a body of the spool that failed. */
const failures = ({ receivers }: SystemUnderTest) => sumOf(receivers, 'landline_spool_failures_total');

/** Kills a receiver when two MiB of a request have passed to it. */
async function crashInBody(system: SystemUnderTest): Promise<void> {
  const [receiver, link] = withLink(system, system.receivers, 'sender-receiver');
  const middle: Moment = {
    name: 'a large body',
    watch() {
      let bytes = 0;
      return (chunk) => {
        bytes = chunk.subarray(0, 5).toString('latin1') === 'POST ' ? chunk.length : bytes + chunk.length;
        if (bytes < 2 * MEBIBYTE) return false;
        receiver.kill('SIGKILL');
        return true;
      };
    },
  };
  sendLarge(system);
  await breakAt(link, middle, 'mid-command');
  await crashAndRestart(receiver);
}

/** Starts a receiver that stops at a point, sends large events, and kills the receiver when it is there. */
async function crashAt(system: SystemUnderTest, point: StopPoint): Promise<void> {
  const receiver = anyOf(system, system.receivers);
  const marker = join(system.folder, 'stopped');
  try {
    await receiver.stop();
    await receiver.start({ nodeArguments: stopAt(point, marker) });
    sendLarge(system);
    await untilSeen(`a receiver stops ${point}`, () => Promise.resolve(existsSync(marker)), MARKER_LIMIT_MS);
  } finally {
    await crashAndRestart(receiver);
    await rm(marker, { force: true });
  }
}

async function crashAfterStorage(system: SystemUnderTest): Promise<void> {
  const [receiver, link] = withLink(system, system.receivers, 'receiver-storage');
  await breakAt(link, STORE, 'before-answer');
  await crashAndRestart(receiver);
}

async function breakStorage(system: SystemUnderTest, trouble: StorageTrouble, ms: number): Promise<void> {
  const hasFailed = await growthOf(() => failures(system));
  try {
    system.storage.break(trouble);
    sendLarge(system);
    await wait(ms);
    await untilSeen('a recording is not stored', hasFailed);
  } finally {
    system.storage.break(undefined);
  }
}

/** The spool lies on a small disk that fills while bodies arrive: small audio goes through the queue, large bodies are turned away. */
async function fillSpool(system: SystemUnderTest): Promise<void> {
  const { receivers, journalDisk } = system;
  if ('reason' in journalDisk) throw new Error(journalDisk.reason);
  const spoolDir = join(journalDisk.path, 'spool');
  for (const receiver of receivers) {
    // oxlint-disable-next-line no-await-in-loop -- one of them serves
    await receiver.stop().then(() => receiver.start({ env: { SPOOL_DIR: spoolDir } }));
  }
  try {
    const rejected = () => sumOf(receivers, 'landline_events_rejected_total', 'code="unavailable"');
    const hasRefused = await growthOf(rejected);
    sendLarge(system, 2 * LARGE_EVENTS);
    await untilSeen('a body is in the spool', async () => (await spoolFiles(spoolDir)).length > 0);
    // It cannot be made smaller than what comes while it is made so.
    const fill = () =>
      journalDisk.fill(SOME_FREE).then(
        () => true,
        () => false,
      );
    await untilSeen('the disk is made full', fill);
    sendLarge(system);
    await wait(ROOM_MS);
    await untilSeen('a large body is turned away', hasRefused);
  } finally {
    await journalDisk.empty();
    await leaveSpool(system, spoolDir);
  }
  await rm(spoolDir, { recursive: true });
}

/** Starts the receivers on their own spool again, the last one when the other has nothing more: nobody else takes it over. */
async function leaveSpool({ receivers, links }: SystemUnderTest, spoolDir: string): Promise<void> {
  for (const [i, receiver] of receivers.entries()) {
    const link = links['sender-receiver'][i];
    const isLast = i === receivers.length - 1;
    link?.refuse(isLast);
    if (isLast) link?.reset();
    const isEmpty = async () => (await spoolFiles(spoolDir)).length === 0;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one of them serves
      if (isLast) await untilSeen('the spool that was full is empty', isEmpty, HEAL_LIMIT_MS);
    } finally {
      link?.refuse(false);
      // oxlint-disable-next-line no-await-in-loop -- one of them serves
      await restart(receiver);
    }
  }
}

async function slowRedis(system: SystemUnderTest): Promise<void> {
  const lines = system.links['receiver-Redis'];
  for (const line of lines) line.limit(SLOW_BYTES_PER_SECOND / lines.length);
  try {
    sendLarge(system);
    await wait(SLOW_MS);
  } finally {
    for (const line of lines) line.limit(undefined);
  }
}

/** Faults on the way of large bodies. */
export const RECORDING_FAULTS: readonly Fault[] = [
  {
    name: 'receiver killed in the middle of a large body',
    how: 'ten large events; SIGKILL when the proxy has seen two MiB of a request',
    inject: crashInBody,
  },
  {
    name: 'receiver killed after the fsync of a body, before its 200',
    how: 'a preload stops it when the file has its name and its folder is synced; SIGKILL',
    inject: (system) => crashAt(system, 'before its 200'),
  },
  {
    name: 'receiver killed while it splits a body',
    how: 'a preload stops it when it has read two MiB of a file of the spool; ten large events; SIGKILL',
    inject: (system) => crashAt(system, 'while it splits'),
  },
  {
    name: 'receiver killed after the storage, before the queue',
    how: 'the proxy sees a recording being stored (PUT), lets it through, holds the answer back, SIGKILL',
    inject: crashAfterStorage,
  },
  {
    name: 'receiver killed after the queue, before it removes the file',
    how: 'a preload stops it when it is about to remove a file of the spool; SIGKILL',
    inject: (system) => crashAt(system, 'before it removes the file'),
  },
  {
    name: 'storage away for 5 s',
    how: 'it cuts every connection, while ten large events come on top of the load',
    evidence: failures,
    inject: (system) => breakStorage(system, 'away', LASTS_MS),
  },
  {
    name: 'storage away for 60 s',
    how: 'it cuts every connection, while ten large events come on top of the load',
    isLong: true,
    evidence: failures,
    inject: (system) => breakStorage(system, 'away', MINUTE_MS),
  },
  {
    name: 'storage refuses the credentials for 5 s',
    how: '403 InvalidAccessKeyId to everything',
    evidence: failures,
    inject: (system) => breakStorage(system, 'refused', LASTS_MS),
  },
  {
    name: 'storage full for 5 s',
    how: '507 XMinioStorageFull to everything',
    evidence: failures,
    inject: (system) => breakStorage(system, 'full', LASTS_MS),
  },
  {
    name: 'spool disk full',
    how: 'it lies on a small disk (tmpfs) that is made full while large bodies arrive: they are answered 503, small events 200',
    isLong: true,
    unless: ({ journalDisk }) => ('reason' in journalDisk ? journalDisk.reason : undefined),
    inject: fillSpool,
  },
  {
    name: 'Redis slow: 4 MB/s',
    how: 'the lines of both receivers to it carry 4 MB a second together, for 20 s, while ten large events come',
    inject: slowRedis,
  },
];
