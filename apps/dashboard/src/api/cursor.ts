import { z } from 'zod';
import { cursor } from './contract/fields.ts';

/** A place in a list: a time in unix ms, and an id. In a part of a conversation: how many come before, and its id. */
export interface Place {
  at: number;
  id: string;
}

const MESSAGE = 'cursor takes what the page before has told as next';

/** JavaScript knows no later time. */
const LATEST_MS = 8.64e15;

const placeSchema = z.tuple([z.string(), z.number().min(-LATEST_MS).max(LATEST_MS), z.string().min(1).max(1_000)]);

/** Of which list a cursor is. One of another list is refused. */
export type List = 'events' | 'conversations' | 'rejected' | 'operations' | 'messages' | 'tool-calls';

/** Lists whose ids are those of conversations, which come from outside. All other ids are uuids. */
const BY_CONVERSATION: ReadonlySet<List> = new Set(['conversations', 'messages', 'tool-calls']);

/** Parts of a conversation: no one has more of them than Postgres can count past. */
const PARTS: ReadonlySet<List> = new Set(['messages', 'tool-calls']);
const MOST_BEFORE = 2 ** 31 - 1;

/** Writes a place as a cursor. */
export function writeCursor(list: List, { at, id }: Place): string {
  return Buffer.from(JSON.stringify([list, at, id])).toString('base64url');
}

/** Makes the schema of an optional cursor, which becomes a place. */
export function cursorOf(list: List) {
  return cursor
    .transform((text, context): Place => {
      const place = readPlace(text);
      if (place !== undefined && place[0] === list && isIdOf(list, place[2]) && isAtOf(list, place[1]))
        return { at: place[1], id: place[2] };
      context.addIssue({ code: 'custom', message: MESSAGE });
      return z.NEVER;
    })
    .optional();
}

function readPlace(text: string): z.output<typeof placeSchema> | undefined {
  try {
    return placeSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

function isIdOf(list: List, id: string): boolean {
  return BY_CONVERSATION.has(list) ? !id.includes('\0') && id.isWellFormed() : z.guid().safeParse(id).success;
}

function isAtOf(list: List, at: number): boolean {
  return !PARTS.has(list) || (Number.isInteger(at) && at >= 0 && at <= MOST_BEFORE);
}
