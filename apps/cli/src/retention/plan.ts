import { counted } from '@landline/operations';
import type { RetentionPolicy } from '@landline/operations';
import type { PlaceSurvey, Survey } from '@landline/store';
import { showControls } from '../format-table.ts';

/** What would go now, and what goes when. */
export interface RetentionPlan {
  policy: RetentionPolicy;
  /** By the database's clock, in unix milliseconds. */
  now: number;
  survey: Survey;
}

const DAY_MS = 86_400_000;

/** A place, as a plan tells of it. */
interface Place {
  name: keyof Survey;
  /** What is counted there. */
  words: string;
  /** For how many days things are kept; null: until an account orders it, or for ever. */
  days: number | null;
  /** When the first of those that stay goes, in unix milliseconds. */
  nextAt: number | null;
  due: number;
}

/** Returns how many things would go now. */
export function dueNow({ survey }: RetentionPlan): number {
  return Object.values(survey).reduce((sum, { due }: PlaceSurvey) => sum + due, 0);
}

/** Returns a plan as a JSON document: by place what would go now, and when the next goes. Times are ISO 8601 in UTC. */
export function planDocument(plan: RetentionPlan): object {
  const { survey, now } = plan;
  const { bodies, events, recordings } = survey;
  const more: Partial<Record<keyof Survey, object>> = {
    bodies: { bytes: bodies.bytes, dead: bodies.dead },
    events: { by_outcome: events.byOutcome },
    recordings: { bytes: recordings.bytes },
  };
  const places = placesOf(plan).map(({ name, days, due, nextAt }) => [
    name,
    { days, due, ...more[name], next_at: isoTime(nextAt) },
  ]);
  return { at: isoTime(now), total: dueNow(plan), places: Object.fromEntries(places) };
}

/** Describes a plan, a line for each place. */
export function describePlan(plan: RetentionPlan): string {
  const lines = placesOf(plan).map((place) => {
    const facts = [
      `${String(place.due).padStart(9)}  ${place.words}`,
      detailOf(place.name, plan.survey),
      whenOf(place),
    ];
    return showControls(facts.filter((fact) => fact !== '').join('; '));
  });
  return [`Due now: ${dueNow(plan)}`, ...lines].join('\n');
}

function placesOf({ policy, survey }: RetentionPlan): Place[] {
  const byAge = (name: keyof Survey, words: string, days: number | undefined): Place => {
    const { due, first } = survey[name];
    const nextAt = first === null || days === undefined ? null : first + days * DAY_MS;
    return { name, words, days: days ?? null, due, nextAt };
  };
  const byOrder = (name: keyof Survey, words: string): Place => ({
    name,
    words,
    days: null,
    due: survey[name].due,
    nextAt: survey[name].first,
  });
  const bodies = byAge('bodies', 'days of bodies', policy.bodies);
  const events = byAge('events', 'ids of the ledger', policy.events);
  return [
    byOrder('transcripts', 'transcripts, by order of the call’s account'),
    byOrder('audio', 'conversations’ audio, by order of the call’s account'),
    byAge('conversations', 'conversations', policy.conversations),
    byAge('recordings', 'recordings', policy.recordings),
    // A day goes as a whole: when its last moment is too old.
    { ...bodies, nextAt: bodies.nextAt === null ? null : bodies.nextAt + DAY_MS },
    { ...events, nextAt: events.nextAt === null ? null : endOfDay(events.nextAt) },
    byAge('rejected', 'refused requests', policy.rejected),
    byOrder('files', 'files that could not be removed before'),
  ];
}

function endOfDay(ms: number): number {
  return (Math.floor(ms / DAY_MS) + 1) * DAY_MS;
}

function detailOf(name: keyof Survey, { bodies, events, recordings }: Survey): string {
  if (name === 'bodies' && bodies.due > 0) {
    const dead = bodies.dead === 0 ? '' : `, ${counted(bodies.dead, 'dead event')} among them`;
    return `${megabytes(bodies.bytes)}${dead}`;
  }
  if (name === 'events') {
    return Object.entries(events.byOutcome)
      .map(([outcome, count]) => `${count} ${outcome}`)
      .join(', ');
  }
  return name === 'recordings' && recordings.due > 0 ? megabytes(recordings.bytes) : '';
}

function whenOf({ name, days, nextAt }: Place): string {
  const next = nextAt === null ? '' : `the next at ${isoTime(nextAt)}`;
  if (name === 'files' || name === 'transcripts' || name === 'audio') return next;
  if (days === null) return 'kept';
  return [`kept for ${counted(days, 'day')}`, next].filter((part) => part !== '').join(', ');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function isoTime(ms: number): string;
function isoTime(ms: number | null): string | null;
function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
