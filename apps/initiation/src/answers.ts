import type { IncomingMessage } from 'node:http';
import type { Logger } from '@landline/process';
import { describeCaller } from '@landline/store';
import type { Variables } from './config.ts';
import { dynamicVariables } from './dynamic-variables.ts';
import type { LookUps } from './look-ups.ts';
import type { Reason } from './metrics.ts';
import { readBody } from './read-body.ts';
import { readRequest, type InitiationRequest } from './read-request.ts';
import type { StartedEvents } from './started-events.ts';

/** Dependencies and limits of `createAnswers`. */
export interface AnswerOptions {
  defaults: Variables;
  /** How long body and look-up may take together, in ms. */
  limitMs: number;
  lookUps: LookUps;
  started: StartedEvents;
  logger: Logger;
}

/** The variables of an answer of 200, with its kind and reason. */
export type Answer = Reason & { variables: Variables };

/**
 * Makes the function that answers requests with the token.
 *
 * @returns  A function that never rejects, and takes `limitMs` at most. It returns undefined where the caller's client hung up.
 */
export function createAnswers({ defaults, limitMs, lookUps, started, logger }: AnswerOptions) {
  const withoutCaller = dynamicVariables(defaults);

  async function answerTo(raw: IncomingMessage): Promise<Answer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
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
    started.enqueue(request.call);
    return Promise.race([answerFor(request), late.then(() => withDefaults('database_slow'))]);
  }

  async function answerFor({ caller, call }: InitiationRequest): Promise<Answer> {
    if ('because' in caller) return { kind: 'unknown', because: caller.because, variables: withoutCaller };
    const lookUp = await lookUps.ask(caller.number);
    if ('because' in lookUp) return withDefaults(lookUp.because);
    const known = describeCaller(lookUp.found, { conversationId: call.conversation_id, callSid: call.call_sid });
    if (known === undefined) return { kind: 'unknown', because: 'not_found', variables: withoutCaller };
    return { kind: 'known', because: '', variables: dynamicVariables(defaults, known) };
  }

  function withDefaults(because: Extract<Reason, { kind: 'defaults' }>['because']): Answer {
    return { kind: 'defaults', because, variables: withoutCaller };
  }

  return answerTo;
}
