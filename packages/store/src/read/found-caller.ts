import { z } from 'zod';

const text = z.string().nullable().catch(null);

/** What somebody has written into a jsonb column by hand may be anything. */
const map = z.record(z.string(), z.unknown()).catch({});

/** A language with the dialect of each; `language_clock` says when the language was reported. */
const spoken = { language: text, dialect: text, dialects: map, language_clock: text };

/** A conversation as `[id, call_sid, …]`. */
const call = z.tuple([z.string(), text, z.number().nullable().catch(null)]);

const found = z.object({
  /** Seen last first. */
  profiles: z.array(
    z.object({
      ...spoken,
      personality: z.unknown(),
      personality_clock: text,
      attributes: map,
      attributes_clocks: map,
    }),
  ),
  /** Latest first, with the start in unix seconds. */
  calls: z.array(call),
  /** The latest with a summary, latest first. */
  summaries: z.array(z.tuple([z.string(), text, text])),
  /** What was said in the latest, without naming the person: `facts` as `[metadata key, value, clock]`. */
  recent: z.array(
    z.object({ ...spoken, id: z.string(), call_sid: text, facts: z.array(z.tuple([z.string(), z.unknown(), text])) }),
  ),
});

/** All that the tables hold of a caller, whichever of their calls is ringing now. */
export type FoundCaller = z.infer<typeof found>;

const rows = z.tuple([z.object({ found: z.string() })]);

/** Reads what `callerStatement` answered. */
export function readFoundCaller(answered: unknown): FoundCaller {
  return found.parse(JSON.parse(rows.parse(answered)[0].found));
}
