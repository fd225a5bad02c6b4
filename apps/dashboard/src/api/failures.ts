import type { FailureGroup, FailureStep, GatheredFailures, Lookups } from '@landline/store';
import { z } from 'zod';
import {
  failuresSchema,
  failuresTimedOut,
  knownBody,
  type FailureGroupItem,
  type Failures,
} from './contract/failures.ts';
import { DEADLINE_MS, inTime } from './deadline.ts';
import { timedOut } from './faults.ts';
import { kept } from './kept.ts';
import { lookupsOf, type ApiPorts } from './ports.ts';
import { route, type ApiRoute } from './route.ts';
import { iso, isoOrNull } from './shown-time.ts';

/** How many groups an answer holds at most. */
const MOST_GROUPS = 200;

/** How long an answer is kept for all consoles, in ms: it looks at all dead events. */
const KEPT_MS = 1_000;

const fingerprintError = 'fingerprint takes the 12 characters 0-9 and a-f of a group of failures';

const failureParams = z.object({ fingerprint: z.string().regex(/^[0-9a-f]{12}$/, { error: fingerprintError }) });

/** The routes of failures. */
export function failureRoutes(ports: Pick<ApiPorts, 'lookups' | 'requests'>): ApiRoute[] {
  return [listFailures(ports), markFailure(ports)];
}

function listFailures(ports: Pick<ApiPorts, 'lookups'>): ApiRoute {
  // One question serves all consoles, so it does not end when one of them goes away.
  const read = kept(() => groupAll(lookupsOf(ports), AbortSignal.timeout(DEADLINE_MS)), KEPT_MS);
  return route({
    method: 'GET',
    path: '/failures',
    summary: 'Groups the dead events by why they failed; those that nobody knows come first.',
    answer: failuresSchema,
    faults: { 504: { description: 'The time is over; the groups until then are in it', schema: failuresTimedOut } },
    handle: () => read(),
  });
}

/** Groups all dead events. @throws ApiFault `timed_out`, with the groups until then */
async function groupAll(lookups: Pick<Lookups, 'failures'>, signal: AbortSignal): Promise<Failures> {
  const steps = lookups.failures.groups({ signal });
  let last: Omit<FailureStep, 'looked'> | undefined;
  let looked = 0;
  const soFar = () => ({
    looked,
    back_to: isoOrNull(last?.position.receivedAt ?? null),
    ...shownFailures(last?.failures),
  });
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before ended
      const step = await inTime(steps.next(), signal, soFar);
      if (step.done) {
        if (!step.value) throw timedOut(soFar());
        return shownFailures(last?.failures);
      }
      last = step.value;
      looked += step.value.looked;
    }
  } finally {
    void steps.return(true).catch(() => undefined);
  }
}

function markFailure({ requests }: Pick<ApiPorts, 'requests'>): ApiRoute {
  return route({
    method: 'PUT',
    path: '/failures/:fingerprint',
    summary: 'Marks a group as known, until an event of it dies again, or takes the mark back. A worker does it.',
    params: failureParams,
    body: knownBody,
    status: 202,
    answer: z.object({}),
    async handle({ params: { fingerprint }, body: { known }, visitor }) {
      await requests.send(
        known
          ? { do: 'mark', fingerprint, by: visitor.user, at: Date.now() }
          : { do: 'unmark', fingerprint, at: Date.now() },
      );
      return {};
    },
  });
}

function shownFailures(failures: GatheredFailures | undefined): Failures {
  if (failures === undefined) return { items: [], others: 0 };
  const groups = failures.groups();
  const unknown = groups.filter(({ known }) => known === null);
  const known = groups.filter((group) => group.known !== null);
  const inOrder = [...unknown, ...known];
  const others = inOrder.slice(MOST_GROUPS).reduce((events, { count }) => events + count, failures.others);
  return { items: inOrder.slice(0, MOST_GROUPS).map(shownGroup), others };
}

function shownGroup({ known, first, last, hours, types, ...group }: FailureGroup): FailureGroupItem {
  return {
    ...group,
    types: { ...types },
    first_at: iso(first),
    last_at: iso(last),
    hours: hours.map(({ count }) => count),
    known_at: isoOrNull(known?.at ?? null),
    known_by: known?.by ?? null,
  };
}
