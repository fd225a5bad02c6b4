import { setTimeout as delay } from 'node:timers/promises';
import { deliveryOf, type Delivery } from '@landline/webhook/delivery';
import { DamagedBodyError, MissingBodyError } from '../spool/errors.ts';
import { verifySpoolFile } from '../spool/inspect-spool.ts';
import type { SpooledBody } from '../spool/spooled-body.ts';
import { splitBody, type SplitBody } from '../split/split-body.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Storage } from '../storage/storage.ts';
import { createTurns, type Turns } from '../spool/turns.ts';
import { createLane, type Lane } from './lane.ts';
import { deliveryOfAudio, deliveryOfFault, receiptOf } from './deliveries.ts';
import { retryPauseMs } from './retry-pause.ts';
import { createTroubles, type Troubles } from './troubles.ts';

/** How many recordings are stored at once. */
const STORES_AT_ONCE = 4;

/** How large an envelope may be that is held while the storage is away, in bytes. Beside its audio, an event has a few hundred. */
const HELD_BYTES = 4096;

/** How many bodies are stored, or wait for the queue, at once. */
const MOVES_AT_ONCE = 8;

/** How long `close` waits for what is under way, in ms. The next process does it again from the beginning. */
const CLOSE_LIMIT_MS = 3_000;

/** What the mover works with. */
export interface MoverOptions {
  /** Where recordings are kept; undefined: they are not kept (RECORDINGS_URL is unset). */
  storage: Storage | undefined;
  /** Where bodies are kept that nothing else holds: those of events that cannot be applied. */
  bodies: Storage;
  /** Resolves when the event is durable in the queue. */
  accept: (delivery: Delivery) => Promise<void>;
  /** Called when a body cannot be read any more. */
  setAside: (body: SpooledBody) => Promise<void>;
  /** Called with why a body waits; once for each reason, until no body waits for it any more. */
  onError: (error: Error) => void;
}

/** What a mover has done since it was made. */
export interface MoverStats {
  /** Recordings that the storage took. */
  stored: number;
  /** Attempts that failed: the storage or the queue did not take something. */
  failures: number;
}

/** Brings bodies from the spool to where they belong. */
export interface Mover {
  /** Begins to move a body; never throws. */
  move(body: SpooledBody): void;
  stats(): MoverStats;
  /** Tries nothing again, and finishes what it can within three seconds; then it begins nothing more. */
  close(): Promise<void>;
}

interface Moving extends MoverOptions {
  /** Nothing is tried again: the mover only finishes what it can. */
  readonly ending: AbortController;
  /** Nothing more begins. */
  readonly closing: AbortController;
  /** One body at a time is read from its beginning: that costs the processor, and whole bodies cost memory. */
  readonly splits: Turns;
  readonly stores: Lane;
  /** Few bodies at once are on their way from the storage to the queue: where the queue is away for long, each holds its envelope. */
  readonly moves: Turns;
  readonly queue: Lane;
  readonly counts: MoverStats;
  readonly troubles: Troubles;
}

/**
 * Makes a mover. Each body is split, its audio is stored, its event is enqueued, and only then its file is removed. Every step can be
 * repeated: a process that dies in between leaves the file, and the next one begins it anew. Where the storage is away, only recordings wait.
 */
export function createMover(options: MoverOptions): Mover {
  const closing = new AbortController();
  const ending = new AbortController();
  const moving: Moving = {
    ...options,
    ending,
    closing,
    splits: createTurns(1),
    stores: createLane(STORES_AT_ONCE, closing.signal),
    moves: createTurns(MOVES_AT_ONCE),
    queue: createLane(1, closing.signal),
    counts: { stored: 0, failures: 0 },
    troubles: createTroubles((reason, cause) =>
      options.onError(new Error(`A body waits in the spool and is tried again: ${reason}`, { cause })),
    ),
  };
  const underWay = new Set<Promise<void>>();
  return {
    move(body) {
      const moved = moveUntilDone(moving, body).finally(() => underWay.delete(moved));
      underWay.add(moved);
    },
    stats: () => ({ ...moving.counts }),
    async close() {
      ending.abort();
      await Promise.race([Promise.all(underWay), delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
      closing.abort();
    },
  };
}

/** Never rejects. */
async function moveUntilDone(moving: Moving, body: SpooledBody): Promise<void> {
  await tryUntilDone(moving, body);
  moving.troubles.over(body.path);
}

async function tryUntilDone(moving: Moving, body: SpooledBody): Promise<void> {
  const { counts, troubles, ending } = moving;
  const { signal } = ending;
  for (let failures = 1; failures === 1 || !signal.aborted; failures++) {
    try {
      return await moveOnce(moving, body);
    } catch (error) {
      if (signal.aborted) return;
      if (await isLost(moving, body, error)) return;
      counts.failures += 1;
      troubles.met(body.path, error);
      await delay(retryPauseMs(failures), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Tells whether an error is the body's own, and no attempt can succeed; then it is set aside, or forgotten where its file is gone. */
async function isLost({ setAside, onError }: Moving, body: SpooledBody, error: unknown): Promise<boolean> {
  if (error instanceof MissingBodyError) {
    const reason = 'Another receiver has taken it over, or a person removed it';
    onError(new Error(`The spool's file ${body.path} (event ${body.facts.eventId}) is gone. ${reason}`));
    await body.remove().catch(() => undefined);
    return true;
  }
  const isSuspect = error instanceof StorageError && error.code === 'damaged';
  const isDamaged =
    error instanceof DamagedBodyError ||
    (isSuspect && (await verifySpoolFile(body.path).catch(() => undefined)) === false);
  if (isDamaged) await setAside(body).catch(() => undefined);
  return isDamaged;
}

async function moveOnce(moving: Moving, body: SpooledBody): Promise<void> {
  const { kind, held } = await splitFirst(moving, body);
  if (kind === 'whole') await moveWhole(moving, body);
  else {
    await inTurn(moving, moving.moves, async () => {
      const delivery = await moving.stores.run(async () => store(moving, body, held ?? (await splitNow(moving, body))));
      await moving.queue.run(() => moving.accept(delivery));
    });
  }
  if (kind === 'audio' && moving.storage !== undefined) moving.counts.stored += 1;
  await body.remove();
}

/** Splits a body. `held` is what that gave; undefined where it is large and would wait: with thousands of bodies it would fill the memory. */
async function splitFirst(moving: Moving, body: SpooledBody): Promise<{ kind: SplitBody['kind']; held?: SplitBody }> {
  const found = await splitNow(moving, body);
  const isLarge = found.kind !== 'whole' && found.envelope.length > HELD_BYTES;
  return isLarge && (moving.stores.isHeldUp() || moving.moves.areTaken())
    ? { kind: found.kind }
    : { kind: found.kind, held: found };
}

/** @throws DamagedBodyError where the disk gives other bytes than those that were verified */
function splitNow(moving: Moving, body: SpooledBody): Promise<SplitBody> {
  return inTurn(moving, moving.splits, async () => {
    if ((await verifySpoolFile(body.path)) === false)
      throw new DamagedBodyError(`${body.path} is not what was received.`);
    return splitBody(sourceOf(body));
  });
}

async function inTurn<T>({ closing }: Moving, turns: Turns, work: () => Promise<T>): Promise<T> {
  const giveBack = await turns.take();
  try {
    closing.signal.throwIfAborted();
    return await work();
  } finally {
    giveBack();
  }
}

/** What the split reads: the body without the facts behind it. */
function sourceOf({ facts, read }: SpooledBody) {
  return { bytes: facts.bytes, read, signedAt: facts.signedAt, eventId: facts.eventId };
}

/** Holds one whole body in memory at a time. */
function moveWhole(moving: Moving, body: SpooledBody): Promise<void> {
  const { facts } = body;
  return moving.queue.run(async () => {
    const pieces: Buffer[] = [];
    for await (const piece of body.read(0, facts.bytes)) pieces.push(piece);
    await moving.accept(deliveryOf(Buffer.concat(pieces), receiptOf(facts)));
  });
}

async function store({ storage, bodies }: Moving, body: SpooledBody, split: SplitBody): Promise<Delivery> {
  const source = sourceOf(body);
  if (split.kind === 'whole') throw new DamagedBodyError(`${body.path} is another body than a moment ago.`);
  return split.kind === 'audio'
    ? deliveryOfAudio(body.facts, source, { split, storage })
    : deliveryOfFault(body.facts, source, { split, storage: storage ?? bodies });
}
