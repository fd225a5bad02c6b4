import { hash } from 'node:crypto';

/** The longest name in a key. File systems take 255 bytes, of which the event's id and the extensions need some. */
const NAME_LIMIT = 120;

/** The digits of a SHA-256 that tell two contents or two ids apart. */
const MARK_LENGTH = 16;

/** A name as it may stand in a key: no separator, and no leading dot, so also neither `.` nor `..`. */
const NAME = '(?!\\.)[A-Za-z0-9._-]{1,250}';

const KEY = new RegExp(`^${NAME}/(?:\\d{4}/\\d{2}/\\d{2}|undated)/${NAME}\\.[a-z0-9]{1,8}$`);

/** Ids that the sender chose, and when the event happened. */
export interface KeyFacts {
  agentId: string | null;
  conversationId: string | null;
  /** Unix ms as the body names it; undefined: the body names no time. A time of receipt would give a second delivery another key. */
  eventAt: number | undefined;
  eventId: string;
}

/**
 * Returns the key of a recording: `<agent>/<yyyy>/<mm>/<dd>/<conversation>.mp3`, by the UTC date of the event.
 *
 * - No time of the event: `undated` stands in place of the date.
 * - No agent: `unknown`. No conversation: the event's id.
 * - Names hold letters, digits, `.`, `_` and `-` alone. Two ids never give the same name.
 */
export function recordingKey(facts: KeyFacts): string {
  return `${folderOf(facts)}/${conversationOf(facts)}.mp3`;
}

/** Returns the key of a whole raw body that is kept beside a recording: `<folder>/<conversation>.<event id>.json`. */
export function bodyKey(facts: KeyFacts): string {
  return `${folderOf(facts)}/${conversationOf(facts)}.${safeName(facts.eventId)}.json`;
}

/** Returns the key for a content whose own key holds another content: `-<first 16 digits of sha256>` before the extension. */
export function markedKey(key: string, sha256: string): string {
  return key.replace(/(\.[a-z0-9]+)$/, `-${sha256.slice(0, MARK_LENGTH)}$1`);
}

/** Returns whether a text has the form of a key. No other text becomes part of a path. */
export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** Returns the last parts of a path that have the form of a key; undefined where they have not. */
export function keyAtEnd(path: string): string | undefined {
  const parts = path.split('/');
  return [parts.slice(-5), parts.slice(-3)].map((last) => last.join('/')).find(isKey);
}

function folderOf({ agentId, eventAt }: KeyFacts): string {
  const agent = agentId === null || agentId === '' ? 'unknown' : safeName(agentId);
  return `${agent}/${dateOf(eventAt) ?? 'undated'}`;
}

function conversationOf({ conversationId, eventId }: KeyFacts): string {
  return safeName(conversationId === null || conversationId === '' ? eventId : conversationId);
}

/** Returns `yyyy/mm/dd`; undefined for what is no date of four digits of a year. */
function dateOf(eventAt: number | undefined): string | undefined {
  const date = new Date(eventAt ?? NaN);
  if (Number.isNaN(date.getTime())) return undefined;
  return /^(\d{4})-(\d\d)-(\d\d)T/.exec(date.toISOString())?.slice(1).join('/');
}

/** Makes a name of an id. A name that is not the id itself, or looks like one that is not, ends in a hash of the id. */
function safeName(id: string): string {
  const plain = id
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replace(/^\./, '');
  if (plain === id && id.length <= NAME_LIMIT && !/-[0-9a-f]{16}$/.test(id)) return id;
  return `${plain.slice(0, NAME_LIMIT - MARK_LENGTH - 1)}-${hash('sha256', id, 'hex').slice(0, MARK_LENGTH)}`;
}
