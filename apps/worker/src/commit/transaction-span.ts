import type { SpanAttributes, SpanLink, Tracing } from '@landline/process';
import { WEBHOOK_QUEUE } from '@landline/queue';
import { StoreError, type ApplicableEvent, type ApplyOutcome, type DeadEvent, type Store } from '@landline/store';
import type { Commit } from './share-transactions.ts';

/** One transaction to make a span of. */
interface Transaction<T> {
  operation: 'process' | 'record_dead';
  queue: string;
  events: readonly (ApplicableEvent | DeadEvent)[];
  run: () => Promise<T>;
  /** Says in numbers what came of it. */
  describe: (result: T) => SpanAttributes;
}

/** Applies events as `store.apply` does, with a span for each transaction. `queue`: where the events come from. */
export function tracedApply(store: Pick<Store, 'apply'>, tracing: Tracing, queue: string): Commit {
  return (events) =>
    traced(tracing, { operation: 'process', queue, events, run: () => store.apply(events), describe: countOutcomes });
}

/** Records dead events as `store.recordDead` does, with a span for each transaction. */
export function tracedRecordDead(store: Pick<Store, 'recordDead'>, tracing: Tracing): Store['recordDead'] {
  return (events) =>
    traced(tracing, {
      operation: 'record_dead',
      queue: WEBHOOK_QUEUE,
      events,
      run: () => store.recordDead(events),
      describe: (ids) => ({ 'landline.events.dead': ids.size }),
    });
}

/** Follows the semantic conventions of messaging: a span for the transaction, and a link for each request in it. */
async function traced<T>(tracing: Tracing, { operation, queue, events, run, describe }: Transaction<T>): Promise<T> {
  const span = tracing.begin({
    name: `${operation} ${queue}`,
    kind: 'consumer',
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.operation.name': operation,
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue,
      'messaging.batch.message_count': events.length,
    },
    links: events.flatMap(linkOf),
  });
  try {
    const result = await span.run(run);
    span.end({ attributes: describe(result) });
    return result;
  } catch (error) {
    // The message may quote an event.
    const isStoreError = error instanceof StoreError;
    const code = isStoreError ? error.code : error instanceof Error ? error.name : typeof error;
    span.end({ attributes: isStoreError ? { 'landline.fault.class': error.faultClass } : {}, error: code });
    throw error;
  }
}

/** Returns the link to the request of an event: none where the receiver recorded no span of it. The request's span tells the type of the event. */
function linkOf(event: ApplicableEvent | DeadEvent): SpanLink[] {
  const { id, delivery } = event.entry;
  if (delivery.traceparent === undefined) return [];
  const attributes = { 'messaging.message.id': id, ...('fault' in event && { 'error.type': event.fault.code }) };
  return [{ traceparent: delivery.traceparent, attributes }];
}

function countOutcomes(outcomes: ReadonlyMap<string, ApplyOutcome>): SpanAttributes {
  const counts = { applied: 0, ignored: 0, duplicate: 0 };
  for (const outcome of outcomes.values()) counts[outcome] += 1;
  return {
    'landline.events.applied': counts.applied,
    'landline.events.ignored': counts.ignored,
    'landline.events.duplicate': counts.duplicate,
  };
}
