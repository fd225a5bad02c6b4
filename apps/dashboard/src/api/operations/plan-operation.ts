import type { FastifyReply } from 'fastify';
import { operationBody, planSchema } from '../contract/operations.ts';
import { inTime } from '../deadline.ts';
import { REPLAY } from '@landline/operations';
import { route, type ApiRoute } from '../route.ts';
import { makePlan, type PlanPorts } from './make-plan.ts';
import { readWanted } from './wanted.ts';

/** How long counting may take, in ms: a person waits for it, and nothing can be started without. */
export const PLAN_MS = 30_000;

/** POST /operations/plan. */
export function planOperation(ports: PlanPorts): ApiRoute {
  return route({
    method: 'POST',
    path: '/operations/plan',
    summary: 'Says what an operation would do, and to how many. It changes nothing.',
    body: operationBody,
    answer: planSchema,
    faults: {
      404: { description: 'conversation_missing' },
      409: { description: 'not_rebuildable, conversation_erased' },
    },
    async handle({ body, reply }) {
      const wanted = readWanted(body, Date.now());
      const signal = planDeadline(reply, ports.planMs ?? PLAN_MS);
      const plan = makePlan(wanted, ports, signal);
      // A replay's plan tells at the end of the time what it has counted.
      return wanted.kind === REPLAY ? plan : inTime(plan, signal);
    },
  });
}

/** Aborted when the time is over, and when nobody waits for the plan any more. */
function planDeadline(reply: FastifyReply, ms: number): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return AbortSignal.any([AbortSignal.timeout(ms), gone.signal]);
}
