import { z } from 'zod';
import { limit } from '../contract/fields.ts';
import { operationSchema, operationsPage, type OperationItem } from '../contract/operations.ts';
import { cursorOf, writeCursor } from '../cursor.ts';
import { inTime } from '../deadline.ts';
import { ApiFault, missing } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route, type ApiRoute } from '../route.ts';
import { askedOperation, askedOperations } from './asked.ts';
import { planOperation } from './plan-operation.ts';
import { shownOperation } from './shown-operation.ts';
import { startOperation } from './start-operation.ts';

const operationParams = z.object({ id: z.guid({ error: 'id must be the uuid of an operation' }) });

/** The routes of operations: what long work there is, and how to ask for it. */
export function operationRoutes(
  ports: Pick<ApiPorts, 'lookups' | 'rebuilds' | 'requests' | 'journalHours' | 'planMs'>,
): ApiRoute[] {
  return [
    listOperations(ports),
    planOperation(ports),
    startOperation(ports),
    getOperation(ports),
    cancelOperation(ports),
  ];
}

type Ports = Pick<ApiPorts, 'lookups' | 'requests'>;

function listOperations(ports: Ports): ApiRoute {
  return route({
    method: 'GET',
    path: '/operations',
    summary: 'Lists operations, the newest first. Above the first page stand those that no worker has begun.',
    query: () => z.strictObject({ cursor: cursorOf('operations'), limit }),
    answer: operationsPage,
    async handle({ query: { cursor, limit: most }, signal }) {
      const lookups = lookupsOf(ports);
      const after = cursor && { createdAt: cursor.at, id: cursor.id };
      // The requests first: one that is carried out meanwhile has its row then.
      const asked = cursor === undefined ? await inTime(askedOperations(ports.requests), signal) : [];
      const found = await inTime(lookups.operations.list(most + 1, { after }), signal);
      const rows = found.slice(0, most);
      const last = rows.at(-1);
      const next = found.length > most && last ? writeCursor('operations', { at: last.createdAt, id: last.id }) : null;
      const ids = new Set(found.map(({ id }) => id));
      return { items: [...asked.filter(({ id }) => !ids.has(id)), ...rows.map(shownOperation)], next };
    },
  });
}

/**
 * Finds an operation: its row, or else the request for it that no worker has carried out.
 *
 * @throws ApiFault `operation_missing`
 */
async function findOperation(id: string, ports: Ports): Promise<OperationItem> {
  const { operations } = lookupsOf(ports);
  const row = await operations.get(id);
  if (row !== undefined) return shownOperation(row);
  const asked = await ports.requests.start(id);
  if (asked !== undefined) return askedOperation(asked);
  // A worker may have carried the request out between the two.
  const late = await operations.get(id);
  if (late === undefined) throw missing('operation_missing', `There is no operation ${id}.`);
  return shownOperation(late);
}

function getOperation(ports: Ports): ApiRoute {
  return route({
    method: 'GET',
    path: '/operations/:id',
    summary: 'Shows one operation. One that somebody has asked for, and no worker has begun, is `asked`.',
    params: operationParams,
    answer: operationSchema,
    faults: { 404: { description: 'operation_missing' } },
    handle: ({ params: { id }, signal }) => inTime(findOperation(id.toLowerCase(), ports), signal),
  });
}

function cancelOperation(ports: Ports): ApiRoute {
  return route({
    method: 'POST',
    path: '/operations/:id/cancel',
    summary:
      'Asks for the end of an operation. What it has done stays done; one that no worker has begun is taken out.',
    params: operationParams,
    status: 202,
    answer: z.object({}),
    faults: { 404: { description: 'operation_missing' }, 409: { description: 'operation_ended' } },
    async handle({ params, signal }) {
      const id = params.id.toLowerCase();
      const { status, finished_at: end } = await inTime(findOperation(id, ports), signal);
      if (end !== null) {
        throw new ApiFault(409, { code: 'operation_ended', message: `The operation has ended: it is ${status}.` });
      }
      // Sent as well where the request was taken out: another shard may hold a copy, or a worker may have it in hand.
      const request = { do: 'cancel', id } as const;
      if (status === 'asked') await ports.requests.withdraw(id);
      await ports.requests.send(request);
      return {};
    },
  });
}
