import { randomUUID } from 'node:crypto';
import { ERASE, FETCH_CONVERSATION, READMIT, REPLAY } from '@landline/operations';
import { consoleRequestSchema } from '@landline/queue';
import { operationBody, startedSchema } from '../contract/operations.ts';
import { inTime } from '../deadline.ts';
import { describeIssues, invalid } from '../faults.ts';
import { lookupsOf, type ApiPorts } from '../ports.ts';
import { route, type ApiRoute } from '../route.ts';
import { makePlan, type PlanPorts } from './make-plan.ts';
import { refuseErased } from './provider-plans.ts';
import { operationWords, readWanted, type Wanted } from './wanted.ts';

/** POST /operations: leaves the request to a worker, however long workers and Postgres are away. */
export function startOperation(ports: PlanPorts & Pick<ApiPorts, 'requests' | 'journalHours'>): ApiRoute {
  return route({
    method: 'POST',
    path: '/operations',
    summary:
      'Asks for an operation. A worker begins it, and its id finds it again. The same id twice starts one operation.',
    body: operationBody,
    status: 202,
    answer: startedSchema,
    faults: { 409: { description: 'conversation_erased' } },
    async handle({ body, visitor, signal }) {
      const wanted = readWanted(body, Date.now());
      const [filter, total] = await Promise.all([
        operationWords(wanted, ports.journalHours),
        countFor(wanted, ports, signal),
        refuseFetchOfErased(wanted, ports, signal),
      ]);
      const id = body.id?.toLowerCase() ?? randomUUID();
      const rate = wanted.kind === REPLAY ? wanted.rate : undefined;
      const { kind } = wanted;
      const request = consoleRequestSchema.safeParse({
        do: 'start',
        id,
        kind,
        filter,
        requestedBy: visitor.user,
        ...(total !== undefined && { total }),
        ...(rate !== undefined && { rate }),
      });
      if (!request.success) throw invalid(describeIssues(request.error));
      await ports.requests.send(request.data);
      return { id };
    },
  });
}

/**
 * Counts what an operation goes through, for its progress: a readmission goes through those as well that it cannot let in. A replay and a rebuild
 * count for themselves. Where Postgres does not answer the request is sent all the same.
 */
async function countFor(wanted: Wanted, ports: PlanPorts, signal: AbortSignal): Promise<number | undefined> {
  try {
    if (wanted.kind === READMIT) {
      const causes = await inTime(lookupsOf(ports).rejected.causes(wanted.filter), signal);
      return causes.reduce((all, { count }) => all + count, 0);
    }
    return wanted.kind === ERASE ? (await inTime(makePlan(wanted, ports, signal), signal)).total : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Refuses to fetch what was erased: the operation could only fail. Where Postgres does not answer the request is sent all the same, and the worker refuses it.
 *
 * @throws ApiFault `conversation_erased`
 */
async function refuseFetchOfErased(wanted: Wanted, ports: PlanPorts, signal: AbortSignal): Promise<void> {
  if (wanted.kind !== FETCH_CONVERSATION || ports.lookups === undefined) return;
  const reading = ports.lookups.conversations.get(wanted.conversation);
  refuseErased(await inTime(reading, signal).catch(() => undefined));
}
