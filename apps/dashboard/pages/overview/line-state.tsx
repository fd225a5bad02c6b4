import type { Overview } from '../../src/api/contract/overview.ts';
import { countText, durationText, bytesText } from '../parts/relative-time.ts';
import { Tag, type Tone } from '../parts/tag.tsx';

/** One line: what, a word about how it is where that can be told, and the figures. */
interface Fact {
  name: string;
  tone: Tone | undefined;
  text: string;
}

/** Above this the queue's oldest job has waited longer than it should, seconds. */
const OLD_JOB_SECONDS = 60;

/** The canary comes once a minute: five that are missing are a fault, seconds. The API's own limit is the same. */
const OLD_CANARY_SECONDS = 300;

function queueFacts({ queue }: Overview): Fact[] {
  if (!queue) {
    return ['Queue', 'Dead letters'].map((name) => ({ name, tone: undefined, text: 'unknown' }));
  }
  const { waiting, oldest_seconds: oldest, dead_letters: dead } = queue;
  const since = waiting > 0 && oldest !== null ? `, the oldest for ${durationText(oldest)}` : '';
  return [
    {
      name: 'Queue',
      tone: (oldest ?? 0) > OLD_JOB_SECONDS ? 'warn' : undefined,
      text: `${countText(waiting)} waiting${since}`,
    },
    { name: 'Dead letters', tone: dead > 0 ? 'bad' : undefined, text: countText(dead) },
  ];
}

/** What a line says of which nothing was reported: the receivers report to Redis. */
function unreported({ redis }: Overview): string {
  return redis.ok ? 'none reports one' : 'unknown';
}

/** What waits in receivers: events that Redis does not have, bodies that the storage does not have. */
function receiverFacts(overview: Overview): Fact[] {
  const { journal, spool } = overview;
  const nothing = unreported(overview);
  return [
    {
      name: 'Journal',
      tone: journal && journal.events > 0 ? 'warn' : undefined,
      text: journal === null ? nothing : held(journal.events, journal.bytes, 'empty: Redis has all'),
    },
    {
      name: 'Large bodies',
      tone: undefined,
      text: spool === null ? nothing : held(spool.files, spool.bytes, 'empty: the storage has all'),
    },
  ];
}

/** How much waits, or that nothing does. */
function held(count: number, bytes: number, none: string): string {
  return count === 0 ? none : `${countText(count)} waiting, ${bytesText(bytes)}`;
}

function canaryFact({ canary_age_seconds: age, redis }: Overview): Fact {
  if (age === null) return { name: 'Canary', tone: undefined, text: redis.ok ? 'none has come' : 'unknown' };
  return {
    name: 'Canary',
    tone: age > OLD_CANARY_SECONDS ? 'bad' : 'good',
    text: `${durationText(Math.round(age))} old`,
  };
}

function serverFact(name: string, part: Overview['redis']): Fact {
  return { name, tone: part.ok ? 'good' : 'bad', text: part.ok ? 'answers' : 'away' };
}

/** How many processes of a role have reported lately. */
function processFact(overview: Overview, role: 'receiver' | 'worker'): Fact {
  const n = overview.processes.filter((process) => process.role === role).length;
  const name = role === 'receiver' ? 'Receivers' : 'Workers';
  // Processes report to Redis: while it is away, nothing is known of them.
  if (!overview.redis.ok) return { name, tone: undefined, text: 'unknown' };
  return { name, tone: n > 0 ? 'good' : 'bad', text: n > 0 ? `${n} running` : 'none reports' };
}

/** How the parts of the line are. */
export function LineState({ overview }: { overview: Overview }) {
  const facts = [
    ...queueFacts(overview),
    ...receiverFacts(overview),
    canaryFact(overview),
    processFact(overview, 'receiver'),
    processFact(overview, 'worker'),
    serverFact('Redis', overview.redis),
    serverFact('Postgres', overview.postgres),
  ];
  return (
    <section class="overview-line" aria-labelledby="line">
      <h2 id="line">The line</h2>
      <dl class="line-facts">
        {facts.map(({ name, tone, text }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={tone === 'good' ? 'line-good' : ''}>
              {tone === 'bad' || tone === 'warn' ? <Tag tone={tone}>{text}</Tag> : text}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
