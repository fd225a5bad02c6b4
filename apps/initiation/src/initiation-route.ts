import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createAnswers, type Answer, type AnswerOptions } from './answers.ts';
import type { Connections } from './connection-limit.ts';
import type { InitiationMetrics } from './metrics.ts';
import { createTokenCheck, TOKEN_ADVICE } from './token.ts';

/** Where ElevenLabs asks what is known of a caller. */
export const INITIATION_PATH = '/api/elevenlabs/conversation-initiation';

/** What the route needs. */
export interface InitiationRouteOptions extends AnswerOptions {
  /** Empty: none is set. */
  token: string;
  connections: Connections;
  metrics: InitiationMetrics;
}

/**
 * Answers what is known of a caller. Whatever is wrong with body, database or this process, who has the token gets 200 with every variable:
 * ElevenLabs fails the call otherwise.
 */
export function initiationRoute(app: FastifyInstance, options: InitiationRouteOptions): void {
  const { metrics } = options;
  const check = createTokenCheck(options.token);
  const answerTo = createAnswers(options);
  refuseOtherMethods(app);

  app.post(INITIATION_PATH, {
    // All of it happens here: what Fastify does with a body afterwards would answer 400, 413 and 415.
    async onRequest(request, reply) {
      const began = performance.now();
      const fault = check(request.headers);
      if (fault !== undefined) {
        metrics.refused.inc({ code: fault });
        return reply.code(401).header('connection', 'close').send({ code: fault, message: TOKEN_ADVICE[fault] });
      }
      options.connections.answering(request.raw.socket, reply.raw);
      const answer = await answerTo(request.raw);
      // Whoever hung up gets none.
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
  // The rest of a slow body is not waited for.
  if (because === 'body_slow') reply.header('connection', 'close');
  return reply.code(200).send({ type: 'conversation_initiation_client_data', dynamic_variables: variables });
}

/** Every method that Node reads is 405 but POST. Of CONNECT Node makes no request. */
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
