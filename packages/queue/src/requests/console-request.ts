import { z } from 'zod';

/** How long the words of a request may be, in characters: a filter names ids and texts, and holds no event. */
const MOST_WORD = 100;
const MOST_VALUE = 10_000;
const MOST_NAME = 200;

/** How many words a filter may have: the longest of today has 13. */
const MOST_WORDS = 32;

/** How large a request may be as JSON, in bytes: its job is read whole by lists, by the board and by erasures. */
const MOST_BYTES = 16_384;

const id = z.uuid();
const fingerprint = z.string().regex(/^[0-9a-f]{12}$/, 'A fingerprint is 12 hex digits');
const name = z.string().min(1).max(MOST_NAME);
const at = z.int().nonnegative();

const filter = z
  .record(z.string().max(MOST_WORD), z.string().max(MOST_VALUE))
  .refine((words) => Object.keys(words).length <= MOST_WORDS, `A filter has ${MOST_WORDS} words at most`);

/**
 * What somebody asks the workers for in the console. All of them may be carried out twice:
 *
 * - `start`: begin the operation that will have this id. `filter` is in the words of its kind; `rate` is in events a second.
 * - `cancel`: end an operation.
 * - `mark`: mark the failures of a group as known; `by` is a login's name. `unmark`: take the mark away. `at` is when somebody asked for it, in unix ms: of two
 *   such requests the later one counts.
 *
 * Nothing keeps requests in order: there are several shards and several workers, and a request may be handed back or be taken again. Each of them must be right
 * whatever came before it.
 */
const anyRequestSchema = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('start'),
    id,
    kind: z.string().min(1).max(MOST_WORD),
    filter,
    total: z.int().nonnegative().optional(),
    rate: z.int().positive().optional(),
    requestedBy: name,
  }),
  z.object({ do: z.literal('cancel'), id }),
  z.object({ do: z.literal('mark'), fingerprint, by: name, at }),
  z.object({ do: z.literal('unmark'), fingerprint, at }),
]);

/** Checks a request, and that it is not too large. */
export const consoleRequestSchema = anyRequestSchema.refine(
  (request) => Buffer.byteLength(JSON.stringify(request)) <= MOST_BYTES,
  `A request has ${MOST_BYTES / 1024} KiB at most: make its filter shorter`,
);

/** See `anyRequestSchema`. */
export type ConsoleRequest = z.infer<typeof consoleRequestSchema>;

/** The data of a job of the queue of requests. */
export const requestJobSchema = z.object({ v: z.literal(1), request: consoleRequestSchema });
