import { QueueUnavailableError } from '@landline/queue/errors';
import type { Delivery } from '@landline/webhook';

/**
 * Where a group of events stands on its way to being durable.
 *
 * | state       | means                                      | and ends when                                             |
 * | ----------- | ------------------------------------------ | --------------------------------------------------------- |
 * | `gathering` | events may join; nothing is written yet    | the group is sent, or dropped because no place takes it    |
 * | `writing`   | it was sent, and no place has it yet       | a place takes it, all have refused it, or it is given up late |
 * | `safe`      | one place has it, another has not answered | the others have answered, or the group's time is over      |
 * | `answered`  | its callers know: it is durable, or a fault | never; a place may still answer, and that changes nothing |
 */
export type GroupState = 'gathering' | 'writing' | 'safe' | 'answered';

/** What happens to a group; a place is Redis or the journal. */
export type GroupStep =
  /** The group was sent to so many places. */
  | { kind: 'sent'; places: number }
  /** A place has the group. */
  | { kind: 'taken' }
  /** A place did not take the group. Callers get the last fault that is named. */
  | { kind: 'refused'; fault?: QueueUnavailableError | undefined }
  /** The group's time is over. With a fault, callers get it now if no place has the group; else they get the first answer. */
  | { kind: 'late'; fault?: QueueUnavailableError | undefined }
  /** The group is not sent to any place. */
  | { kind: 'dropped'; fault: QueueUnavailableError };

/** A group's state and what decides the next one. */
export interface Progress {
  readonly state: GroupState;
  /** How many places have not answered. */
  readonly awaited: number;
  /** Whether the group's time is over, so that one place is enough. */
  readonly isLate: boolean;
  /** Why the group is not durable, while no place has it. */
  readonly fault: QueueUnavailableError | undefined;
}

/** Where every group begins. */
export const GATHERING: Progress = { state: 'gathering', awaited: 0, isLate: false, fault: undefined };

/** Returns where a group stands after a step. Pure. */
export function advance(from: Progress, step: GroupStep): Progress {
  if (from.state === 'answered') return from;
  switch (step.kind) {
    case 'sent':
      return { ...from, state: 'writing', awaited: step.places };
    case 'taken':
      return decided({ ...from, state: 'safe', awaited: from.awaited - 1, fault: undefined });
    case 'refused':
      return decided({ ...from, awaited: from.awaited - 1, fault: faultAfter(from, step.fault) });
    case 'late':
      if (from.state !== 'safe' && step.fault !== undefined) return { ...from, state: 'answered', fault: step.fault };
      return decided({ ...from, isLate: true });
    case 'dropped':
      return { ...from, state: 'answered', fault: step.fault };
  }
}

/** Returns no fault once a place has the group. Before that it always returns one, so that no caller takes the group for durable. */
function faultAfter({ state, fault }: Progress, named: QueueUnavailableError | undefined): Progress['fault'] {
  return state === 'safe' ? undefined : (named ?? fault ?? new QueueUnavailableError('No place took the event.'));
}

/** Answers the group when no place is awaited, or when one place has it and its time is over. */
function decided(progress: Progress): Progress {
  const { state, awaited, isLate } = progress;
  const isDecided = state !== 'gathering' && (awaited === 0 || (state === 'safe' && isLate));
  return isDecided ? { ...progress, state: 'answered' } : progress;
}

/** Events that are written together. Their callers share one answer. */
export interface Group {
  readonly events: Delivery[];
  /** Of the events' bodies. */
  bytes: number;
  progress: Progress;
  /** Resolves when the group is durable; rejects with its fault. */
  readonly answer: Promise<void>;
  /** Takes a step, and answers the callers when that decides. */
  step(step: GroupStep): void;
}

/** Begins a group. `onLate` is called after `timeoutMs`, unless the group is answered before. */
export function beginGroup(timeoutMs: number, onLate: (group: Group) => void): Group {
  let resolve!: () => void;
  let reject!: (fault: QueueUnavailableError) => void;
  const answer = new Promise<void>((onDurable, onFault) => {
    resolve = onDurable;
    reject = onFault;
  });
  const deadline = setTimeout(() => onLate(group), timeoutMs);
  const group: Group = {
    events: [],
    bytes: 0,
    progress: GATHERING,
    answer,
    step(step) {
      if (group.progress.state === 'answered') return;
      group.progress = advance(group.progress, step);
      const { state, fault } = group.progress;
      if (state !== 'answered') return;
      clearTimeout(deadline);
      if (fault === undefined) resolve();
      else reject(fault);
    },
  };
  return group;
}
