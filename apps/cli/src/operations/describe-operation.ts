import type { Operation } from '@landline/store';
import { showControls } from '../format-table.ts';

const NO_REASON = 'no reason is known';

/** Returns an operation as a JSON document. The names are those of the columns; times are ISO 8601 in UTC. */
export function operationDocument(operation: Operation): object {
  return {
    id: operation.id,
    kind: operation.kind,
    filter: operation.filter,
    status: operation.status,
    total: operation.total,
    done: operation.done,
    failed: operation.failed,
    message: operation.message,
    rate: operation.rate,
    requested_by: operation.requestedBy,
    created_at: time(operation.createdAt),
    started_at: time(operation.startedAt),
    updated_at: time(operation.updatedAt),
    finished_at: time(operation.finishedAt),
    cancel_requested_at: time(operation.cancelRequestedAt),
  };
}

/** Returns how an operation ended, for the JSON document of a command: its id and status, and the reason where it is not done. */
export function endDocument({ id, status, message }: Operation): object {
  return { operation: id, status, ...(status !== 'done' && { error: message ?? NO_REASON }) };
}

/** Says in words that an operation failed or was cancelled, and why. @param what  Such as `The comparison`. */
export function sayEnd(what: string, { status, message }: Operation): string {
  return `${what} ${status === 'cancelled' ? 'was cancelled' : status}: ${message ?? NO_REASON}`;
}

/** Describes an operation in one line. */
export function operationLine(operation: Operation): string {
  const { id, kind, createdAt, message } = operation;
  const facts = [new Date(createdAt).toISOString(), id, kind.padEnd(9), describeProgress(operation), message ?? ''];
  return showControls(facts.filter((fact) => fact !== '').join('  '));
}

/** Describes an operation for a person, a line for each fact. Times are in UTC. */
export function describeOperation(operation: Operation): string {
  const facts: [name: string, value: string | null][] = [
    ['id', operation.id],
    ['kind', operation.kind],
    ['filter', JSON.stringify(operation.filter)],
    ['status', describeProgress(operation)],
    ['message', operation.message],
    ['rate', operation.rate === null ? null : `${operation.rate} a second at most`],
    ['asked by', operation.requestedBy],
    ['asked at', time(operation.createdAt)],
    ['started at', time(operation.startedAt)],
    ['cancelled at', time(operation.cancelRequestedAt)],
    ['ended at', time(operation.finishedAt)],
  ];
  const given = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  return given.map(([name, value]) => `${name.padEnd(12)}  ${showControls(value)}`).join('\n');
}

/**
 * Says how far an operation is, and, while it runs, how fast it is and how long it takes still. A comparison finds what it has to do while it runs.
 *
 * @param listed  How many calls a comparison has listed, where that is known.
 */
export function describeProgress(operation: Operation, listed?: number): string {
  const { kind, status, total, done, failed, startedAt, updatedAt } = operation;
  const through = done + failed;
  const counts = `${through} of ${total ?? '?'}${failed > 0 ? `, ${failed} failed` : ''}`;
  if (status === 'planned')
    return total === null ? 'planned' : `planned: ${total}${kind === 'replay' ? ' events' : ''}`;
  if (kind === 'reconcile' && status === 'running') {
    const facts = [`to fetch ${total ?? 0}`, `done ${done}`, ...(failed > 0 ? [`failed ${failed}`] : [])];
    return `running: ${[...(listed === undefined ? [] : [`listed ${listed}`]), ...facts].join(', ')}`;
  }
  const seconds = ((operation.finishedAt ?? updatedAt) - (startedAt ?? updatedAt)) / 1000;
  const rate = seconds > 0 ? through / seconds : 0;
  if (status !== 'running') return `${status}: ${counts} in ${seconds.toFixed(1)} s`;
  const left = total === null || rate === 0 ? '' : `, ${duration((total - through) / rate)} left`;
  return `running: ${counts}, ${Math.round(rate)}/s${left}`;
}

/** Returns a time span in words: `40 s`, `3 min`, `1.5 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.round(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
}

function time(ms: number): string;
function time(ms: number | null): string | null;
function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
