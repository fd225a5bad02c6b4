import type { OperationItem } from '../../src/api/contract/operations.ts';
import type { Tone } from '../parts/tag.tsx';
import { howItEnded } from './how-it-ended.ts';

const KINDS: Record<string, string> = {
  replay: 'Replay events',
  readmit: 'Readmit requests',
  erase: 'Erase a person',
  rebuild: 'Rebuild the tables',
  'rebuild-conversation': 'Rebuild a conversation',
  retention: 'Delete what is old',
  reconcile: 'Compare with ElevenLabs',
  'fetch-conversation': 'Fetch a conversation again',
};

/** What kind of work it is, in words. */
export function kindText(kind: string): string {
  return KINDS[kind] ?? kind;
}

const STATUSES: Record<OperationItem['status'], { text: string; tone: Tone; says: string }> = {
  asked: { text: 'asked for', tone: 'quiet', says: 'No worker has taken it yet.' },
  planned: { text: 'waits', tone: 'quiet', says: 'It waits for its turn: of each kind one runs at a time.' },
  running: { text: 'running', tone: 'live', says: 'A worker does it now.' },
  done: { text: 'done', ...howItEnded({ kind: '', done: 1, failed: 0 }) },
  cancelled: { text: 'cancelled', tone: 'quiet', says: 'It was ended early. What it had done stays.' },
  failed: { text: 'failed', tone: 'bad', says: 'It could not go on.' },
};

/** How it stands, in words and a tone. */
export function statusOf(operation: OperationItem): { text: string; tone: Tone; says: string } {
  const isEnding = operation.cancel_requested_at !== null && ['asked', 'planned', 'running'].includes(operation.status);
  if (isEnding) return { text: 'ending', tone: 'warn', says: 'It was asked to end, and does so soon.' };
  if (operation.status !== 'done') return STATUSES[operation.status];
  return { text: STATUSES.done.text, ...howItEnded(operation) };
}

/** The words of its filter as tokens; a value that is no text is printed as JSON. */
export function filterTokens(filter: OperationItem['filter']): string[] {
  return Object.entries(filter)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}:${typeof value === 'string' ? value : JSON.stringify(value)}`);
}

/** Where the events of a replay are listed; undefined for other kinds. */
export function eventsHref({ kind, filter }: OperationItem): string | undefined {
  if (kind !== 'replay') return undefined;
  const words = Object.entries(filter).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return `/events?${new URLSearchParams(words).toString()}`;
}
