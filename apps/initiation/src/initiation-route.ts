import { METHODS, type IncomingMessage } from 'node:http';
import type { Logger } from '@landline/process';
import { describeCaller } from '@landline/store';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Variables } from './config.ts';
import type { Connections } from './connection-limit.ts';
import { dynamicVariables } from './dynamic-variables.ts';
import type { LookUps } from './look-ups.ts';
import type { InitiationMetrics, Reason } from './metrics.ts';
import { readBody } from './read-body.ts';
import { readRequest, type InitiationRequest } from './read-request.ts';
import type { StartedEvents } from './started-events.ts';
import { createTokenCheck, TOKEN_ADVICE } from './token.ts';

/** Where ElevenLabs asks what is known of a caller. */
export const INITIATION_PATH = '/api/elevenlabs/conversation-initiation';

/** What the route needs. */
export interface InitiationRouteOptions {
  /** Empty: none is set. */
  token: string;
  defaults: Variables;
  /** How long body and look-up may take together, in ms. */
  limitMs: number;
  lookUps: LookUps;
  started: StartedEvents;
  connections: Connections;
  metrics: InitiationMetrics;
  logger: Logger;
}

/** An answer of 200, and why it is as it is. */
type Answer = Reason & { variables: Variables };

/**
 * Answers what is known of a caller. Whatever is wrong with body, database or this process, who has the token gets 200 with every variable:
 * ElevenLabs fails the call otherwise.
 */
export function initiationRoute(app: FastifyInstance, options: InitiationRouteOptions): void {
  const { metrics, defaults, logger } = options;
  const check = createTokenCheck(options.token);
  const withoutCaller = dynamicVariables(defaults);
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

  async function answerTo(raw: IncomingMessage): Promise<Answer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, options.limitMs)));
    try {
      return await answerInTime(raw, late);
    } catch (error) {
      logger.error({ code: error instanceof Error ? error.name : 'unknown' }, 'An answer failed');
      return withDefaults('internal_error');
    } finally {
      clearTimeout(timer);
    }
  }

  async function answerInTime(raw: IncomingMessage, late: Promise<void>): Promise<Answer | undefined> {
    const body = await readBody(raw, late);
    if ('fault' in body) return body.fault === 'gone' ? undefined : withDefaults(body.fault);
    const request = readRequest(body.bytes);
    if (request === undefined) return withDefaults('body_invalid');
    options.started.tell(request.call);
    return Promise.race([answerFor(request), late.then(() => withDefaults('database_slow'))]);
  }

  async function answerFor({ caller, call }: InitiationRequest): Promise<Answer> {
    if ('because' in caller) return { kind: 'unknown', because: caller.because, variables: withoutCaller };
    const lookUp = await options.lookUps.ask(caller.number);
    if ('because' in lookUp) return withDefaults(lookUp.because);
    const known = describeCaller(lookUp.found, { conversationId: call.conversation_id, callSid: call.call_sid });
    if (known === undefined) return { kind: 'unknown', because: 'not_found', variables: withoutCaller };
    return { kind: 'known', because: '', variables: dynamicVariables(defaults, known) };
  }

  function withDefaults(because: Extract<Reason, { kind: 'defaults' }>['because']): Answer {
    return { kind: 'defaults', because, variables: withoutCaller };
  }
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
