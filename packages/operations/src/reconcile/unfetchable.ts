import { z } from 'zod';

/** Why calls are not complete, by id. */
export type CallReasons = Readonly<Record<string, string>>;

/** How many reasons are kept. */
const MOST_REASONS = 500;

/** The longest reason, in characters. */
const MOST_CHARACTERS = 200;

/** What `operations.checkpoint` of a comparison has: calls that this run has found unfetchable, each with its reason. */
const checkpointSchema = z.object({ unfetchable: z.record(z.string(), z.string()).default({}) });

/** Reads the calls that a run has found unfetchable, each with its reason, from `operations.checkpoint`: the first 500. */
export function readUnfetchable(checkpoint: unknown): CallReasons {
  return checkpointSchema.safeParse(checkpoint ?? {}).data?.unfetchable ?? {};
}

/** Returns the reasons with one more. */
export function addReason(reasons: CallReasons, id: string, reason: string): CallReasons {
  if (Object.keys(reasons).length >= MOST_REASONS) return reasons;
  return {
    ...reasons,
    [id]: reason.toWellFormed().replaceAll('\0', '\ufffd').slice(0, MOST_CHARACTERS).toWellFormed(),
  };
}

/** Names calls with their reasons, in so many characters at most. */
export function nameCalls(reasons: CallReasons, most: number): string {
  const all = Object.entries(reasons).map(([id, reason]) => `${id} (${reason})`);
  let text = '';
  for (const [i, one] of all.entries()) {
    const more = `${text === '' ? '' : ', '}${one}`;
    const rest = `, and ${all.length - i} more`;
    if (text.length + more.length + rest.length > most) return `${text}${rest}`;
    text += more;
  }
  return text;
}
