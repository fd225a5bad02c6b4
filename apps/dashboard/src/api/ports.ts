import type { RecordingStorage } from '@landline/operations';
import type { Activity, AllQueues, CanaryMark, ConsoleRequests } from '@landline/queue';
import type { ConversationRebuilds, Lookups } from '@landline/store';
import { ApiFault } from './faults.ts';

/** What the API reads, and where it leaves what somebody asks for. The caller opens and closes all of it. */
export interface ApiPorts {
  /** Undefined where no database was named. */
  lookups: Lookups | undefined;
  /** Undefined where there are no look-ups. */
  rebuilds: Pick<ConversationRebuilds, 'plan'> | undefined;
  queues: Pick<AllQueues, 'overview'>;
  activity: Pick<Activity, 'minutes' | 'now' | 'processes'>;
  canary: Pick<CanaryMark, 'newest'>;
  requests: Pick<ConsoleRequests, 'send' | 'starts' | 'start' | 'withdraw'>;
  /** Bound to its place: rows may name any file. */
  storage: Pick<RecordingStorage, 'read'>;
  /** How long journals keep what Redis has, in hours: an erasure tells by when they have forgotten. */
  journalHours: number;
  /** How long the plan of an operation may take until it is answered 504, in ms: it counts, and nothing is started without it. */
  planMs?: number | undefined;
}

/** What is said where no database was named. */
export const NO_DATABASE =
  'The console has no database: set READER_DATABASE_URL, or DATABASE_URL, and restart the dashboard. The queues are under /queues.';

/** Returns the look-ups. @throws ApiFault `unavailable` where there is no database */
export function lookupsOf({ lookups }: Pick<ApiPorts, 'lookups'>): Lookups {
  if (lookups !== undefined) return lookups;
  throw new ApiFault(503, { code: 'unavailable', message: NO_DATABASE });
}
