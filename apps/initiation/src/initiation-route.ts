import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createAnswers, type Answer, type AnswerOptions } from './answers.ts';
import type { Connections } from './connection-limit.ts';
import type { InitiationMetrics } from './metrics.ts';
import { createTokenCheck, TOKEN_ADVICE } from './token.ts';

/** The path at which ElevenLabs asks who is calling. */
export const INITIATION_PATH = '/api/elevenlabs/conversation-initiation';

/** Dependencies of the route. */
export interface InitiationRouteOptions extends AnswerOptions {
  /** Empty: no token is set. */
  token: string;
  connections: Connections;
  metrics: InitiationMetrics;
}

/**
 * Adds the route that answers what is known of a caller.
 *
 * A client with the token gets 200 with every variable, also where the body, the database or this process has a fault. After any
 * other answer ElevenLabs fails the call.
 */
export function initiationRoute(app: FastifyInstance, options: InitiationRouteOptions): void {
  const { metrics } = options;
  const check = createTokenCheck(options.token);
  const answerTo = createAnswers(options);
  refuseOtherMethods(app);

  app.post(INITIATION_PATH, {
    // The hook does all of it: Fastify itself would answer some bodies with 400, 413 or 415.
    async onRequest(request, reply) {
      const began = performance.now();
      const fault = check(request.headers);
      if (fault !== undefined) {
        metrics.refused.inc({ code: fault });
        return reply.code(401).header('connection', 'close').send({ code: fault, message: TOKEN_ADVICE[fault] });
      }
      options.connections.answering(request.raw.socket, reply.raw);
      const answer = await answerTo(request.raw);
      // A client that hung up gets no answer.
      if (answer === undefined) return reply.hijack();
      options.connections.proven(request.raw.socket);
      metrics.answers.inc({ kind: answer.kind, because: answer.because });
      metrics.answerSeconds.observe({ kind: answer.kind }, (performance.now() - began) / 1000);
      return sendAnswer(reply, answer);
    },
    handler: () => undefined,
  });
}

function sendAnswer(reply: FastifyReply, { because, variables }: Answer): FastifyReply {
  // The initiation does not wait for the rest of a slow body.
  if (because === 'body_slow') reply.header('connection', 'close');
  return reply.code(200).send({ type: 'conversation_initiation_client_data', dynamic_variables: variables });
}

/** Answers every method but POST with 405. CONNECT is not among them: Node makes no request of it. */
function refuseOtherMethods(app: FastifyInstance): void {
  const methods = METHODS.filter((method) => method !== 'POST' && method !== 'CONNECT');
  for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  app.route({
    method: methods,
    url: INITIATION_PATH,
    onRequest(_request, reply) {
      void reply
        .code(405)
        .headers({ allow: 'POST', connection: 'close' })
        .send({ code: 'method_not_allowed', message: 'Only POST is allowed here.' });
    },
    handler: () => undefined,
  });
}
