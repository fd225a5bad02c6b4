import { storedReferenceSchema, type Delivery } from '@landline/webhook/delivery';
import { z } from 'zod';
import type { Run, Transactions } from '../connection/transactions.ts';
import { storedDelivery } from '../ledger/stored-delivery.ts';
import type { EventFilter } from './event-filter.ts';
import type { SelectionOptions } from './filter-conditions.ts';
import {
  bodiesStatement,
  countStatement,
  listStatement,
  sizedListStatement,
  statesStatement,
  type PageOptions,
} from './find-statements.ts';
import { foundSchema, type FoundEvent } from './found-event.ts';
import { addCounts, NOTHING_COUNTED, type EventCounts } from './event-counts.ts';

/** An event of a page, and how many bytes its body has in the ledger; null where the body is gone. */
export type SizedEvent = FoundEvent & { storedBytes: number | null };

/** An event with its body. */
export interface StoredBody {
  /** The ledger id. */
  id: string;
  /** As the receiver made it, but for the name of the secret; undefined where the body is gone. */
  delivery: Delivery | undefined;
  /** The bytes of `delivery`. */
  body: Uint8Array | undefined;
}

/** What became of an event. */
export interface EventState {
  /** `applied`, `ignored` or `dead`. */
  outcome: string;
  /** Of a dead one: the code of its fault. */
  code: string | null;
  /** Of a dead one: how many attempts were spent on it. */
  attempts: number;
}

/** Finds events, and changes nothing. Every method that fails throws a `StoreError`. */
export interface Ledger {
  /** Lists events that match, the newest first unless `order` says otherwise. `text` of the filter is not looked at. */
  list(filter: EventFilter, options: PageOptions): Promise<FoundEvent[]>;
  /** Lists events as `list` does, with the sizes of their bodies. */
  page(filter: EventFilter, options: PageOptions): Promise<SizedEvent[]>;
  /** Counts events that match. `text` of the filter is not looked at. */
  count(filter: EventFilter, options?: SelectionOptions): Promise<EventCounts>;
  /** Reads the bodies of these events, oldest first: mind how many bytes `page` says they have. */
  bodies(ids: readonly string[]): Promise<StoredBody[]>;
  /** Reads what became of these events, by id. One that is not in the ledger is not in the answer. */
  states(ids: readonly string[]): Promise<Map<string, EventState>>;
}

const sizedSchema = foundSchema.extend({ storedBytes: z.number().nullable() });

const countsSchema = z.array(
  z.object({
    type: z.string().nullable(),
    outcome: z.string(),
    events: z.number(),
    first: z.number(),
    last: z.number(),
  }),
);

const bodySchema = z.object({
  id: z.string(),
  receivedAt: z.number(),
  eventAt: z.number(),
  origin: z.string(),
  reference: storedReferenceSchema.nullable(),
  body: z.instanceof(Uint8Array).nullable(),
});

const stateSchema = z.object({
  id: z.string(),
  outcome: z.string(),
  code: z.string().nullable(),
  attempts: z.number(),
});

/** Makes a ledger that reads in these transactions. */
export function ledgerOn(transactions: Pick<Transactions, 'run'>): Ledger {
  const ask = <T>(question: (run: Run) => Promise<T>) => transactions.run(question);
  return {
    list: (filter, options) =>
      ask(async (run) => z.array(foundSchema).parse(await run(listStatement(filter, options)))),
    page: (filter, options) =>
      ask(async (run) => z.array(sizedSchema).parse(await run(sizedListStatement(filter, options)))),
    count: (filter, options) =>
      ask(async (run) =>
        countsSchema.parse(await run(countStatement(filter, options))).reduce(addCounts, NOTHING_COUNTED),
      ),
    bodies: (ids) =>
      ask(async (run) =>
        z
          .array(bodySchema)
          .parse(await run(bodiesStatement(ids)))
          .map(bodyOf),
      ),
    states: (ids) =>
      ask(async (run) => {
        const rows = z.array(stateSchema).parse(await run(statesStatement(ids)));
        return new Map(rows.map(({ id, ...state }) => [id, state]));
      }),
  };
}

function bodyOf({ id, body, ...stored }: z.infer<typeof bodySchema>): StoredBody {
  if (body === null) return { id, delivery: undefined, body: undefined };
  return { id, delivery: storedDelivery({ ...stored, body }), body };
}
