/**
 * The documented promises of a journal, as a list of records without files, bytes and ranges. `takePending` must return
 * a record, may return it, or must not.
 */
export interface ModelRecord {
  id: number;
  bodies: string[];
  /** The process that it was given to, and whether that process answered. */
  writer: string;
  isAnswered: boolean;
  /** Whether that process is gone. */
  isInherited: boolean;
  /** When it was journalled, in unix ms. */
  at: number;
  /** When catch-up last enqueued it, in unix ms. */
  reenqueuedAt: number;
  /** Redis lacks it and no process is enqueuing it: it must come back. */
  isDue: boolean;
  /** The record may come back: the mark was older than the process's state, or `redo` reached further than needed. */
  mayRepeat: boolean;
  /** The processes that are enqueuing it. */
  holders: string[];
  /** The process that enqueued it and has not written that down yet. */
  unwrittenBy: string | undefined;
}

export interface ModelOptions {
  retentionMs: number;
  /** Whether the limit may remove what Redis has. */
  isTight: boolean;
}

/** How far `redo` may reach back beyond its argument, in ms of the segment's time. */
const REDO_STEP_MS = 1000;

export class JournalModel {
  readonly options: ModelOptions;
  readonly records: ModelRecord[] = [];

  constructor(options: ModelOptions) {
    this.options = options;
  }

  /** A group was answered: `process` enqueues it. */
  answered(bodies: string[], at: number, process: string): ModelRecord {
    const record = this.unanswered(bodies, at, process);
    Object.assign(record, { isAnswered: true, mayRepeat: false, holders: [process] });
    return record;
  }

  /** A group was given to a process that was killed before it answered: all of it may be there, or nothing. */
  unanswered(bodies: string[], at: number, process: string): ModelRecord {
    const record: ModelRecord = {
      id: this.records.length,
      bodies,
      writer: process,
      isAnswered: false,
      isInherited: false,
      at,
      reenqueuedAt: -Infinity,
      isDue: false,
      mayRepeat: true,
      holders: [],
      unwrittenBy: undefined,
    };
    this.records.push(record);
    return record;
  }

  /** The records that a process took from its journal, by the bodies of their events. @throws where one must not come back */
  took(bodies: readonly string[], process: string): ModelRecord[] {
    const taken: ModelRecord[] = [];
    for (let i = 0; i < bodies.length;) {
      const record = this.records[idIn(bodies[i])];
      if (record === undefined || record.bodies.some((body, k) => body !== bodies[i + k])) {
        throw new Error(`No record has the bodies from ${bodies[i]} on.`);
      }
      if (!record.isDue && !record.mayRepeat) throw new Error(`Record ${record.id} came back, and Redis has it.`);
      taken.push(record);
      i += record.bodies.length;
    }
    for (const record of taken) {
      record.isDue = false;
      record.mayRepeat = false;
      record.holders.push(process);
    }
    return taken;
  }

  /** A process reported the outcome of records that it was enqueuing. `reenqueuedAt`: it took them from the journal. */
  settled(
    records: readonly ModelRecord[],
    outcome: 'enqueued' | 'failed',
    { process, reenqueuedAt }: { process: string; reenqueuedAt?: number },
  ): void {
    for (const record of records) {
      record.holders.splice(record.holders.indexOf(process), 1);
      if (outcome === 'failed') record.isDue = true;
      else {
        record.unwrittenBy = process;
        record.reenqueuedAt = reenqueuedAt ?? record.reenqueuedAt;
      }
    }
  }

  /** All living processes have written their marks. */
  written(): void {
    for (const record of this.records) record.unwrittenBy = undefined;
  }

  /** A process was killed. Where its marks were lost with it, everything may come back. */
  killed(process: string, hasMarks: boolean): void {
    for (const record of this.records) {
      if (record.unwrittenBy === process || !hasMarks) record.mayRepeat = true;
    }
    this.#left(process);
  }

  /** A process closed its journal, and wrote its marks. */
  closed(process: string): void {
    this.#left(process);
  }

  #left(process: string): void {
    for (const record of this.records) {
      if (record.writer === process) record.isInherited = true;
      if (record.unwrittenBy === process) record.unwrittenBy = undefined;
      if (!record.holders.includes(process)) continue;
      record.holders = record.holders.filter((holder) => holder !== process);
      record.isDue = true;
    }
  }

  /** Every living process learned that Redis lost what was enqueued at or after `since`. */
  redo(since: number, now: number): void {
    for (const record of this.records) {
      const isKept = !this.options.isTight && now - record.at < this.options.retentionMs;
      const isLost = Math.max(record.at, record.reenqueuedAt) >= since;
      if (isLost && isKept && record.isAnswered && record.holders.length === 0) record.isDue = true;
      // A group that is being enqueued is enqueued once more.
      else if (isLost || !this.#isOutOfReach(record, since)) record.mayRepeat = true;
    }
    this.written();
  }

  /**
   * A process knows places in its own files, a second apart: a record that lies a second before another one that is old enough is not
   * reached. Of another process's file it knows no places, and reaches all of it.
   */
  #isOutOfReach({ at, reenqueuedAt, isInherited, writer }: ModelRecord, since: number): boolean {
    return (
      !isInherited &&
      reenqueuedAt + REDO_STEP_MS <= since &&
      this.records.some((other) => other.writer === writer && at + REDO_STEP_MS <= other.at && other.at <= since)
    );
  }

  /** Everything was taken. @throws where something is missing */
  drained(): void {
    const missing = this.records.filter(({ isDue }) => isDue);
    if (missing.length > 0) throw new Error(`Records are lost: ${missing.map(({ id }) => id).join(', ')}.`);
    // Records that were allowed to come back and did not are gone.
    for (const record of this.records) record.mayRepeat = false;
  }
}

/** The bodies of a record's events: each names the record and its place in it. */
export function bodiesOf(id: number, events: number, bytes: number): string[] {
  return Array.from({ length: events }, (_, i) => `${id}/${i}/`.padEnd(bytes, 'ä€x'));
}

function idIn(body: string | undefined): number {
  return Number(body?.split('/')[0]);
}
