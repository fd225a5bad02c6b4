import { addGauge, createRegistry } from '@landline/process';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { StartedResult } from './started-events.ts';
import type { TokenFault } from './token.ts';

/** Whether an answer knows its caller: `known`, `unknown`, or `defaults` where the initiation could not find out. */
export type AnswerKind = 'known' | 'unknown' | 'defaults';

/** Every kind with its reasons. */
const REASONS = {
  known: [''],
  unknown: ['not_found', 'withheld', 'no_number'],
  defaults: ['database_away', 'database_slow', 'body_invalid', 'body_too_large', 'body_slow', 'internal_error'],
} as const satisfies Record<AnswerKind, readonly string[]>;

/** Why an answer is of its kind. */
export type Reason = {
  [Kind in AnswerKind]: { kind: Kind; because: (typeof REASONS)[Kind][number] };
}[AnswerKind];

/** Upper bounds in seconds. Landline promises an answer within 0.3 s: ElevenLabs waits for it while the telephone rings. */
const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1];

const REFUSALS: readonly TokenFault[] = ['token_missing', 'token_mismatch', 'token_not_set'];

/** The initiation's metrics, and the registry that holds them. */
export interface InitiationMetrics {
  registry: Registry;
  /** Answers of 200, by kind and reason. */
  answers: Counter<'kind' | 'because'>;
  answerSeconds: Histogram<'kind'>;
  /** Answers of 401, by code. */
  refused: Counter<'code'>;
  events: Counter<'result'>;
}

/** Makes the metrics in a registry of their own. Each sample starts at 0: Prometheus sees an increase only after an earlier sample. */
export function createMetrics(isUp: () => boolean): InitiationMetrics {
  const registry = createRegistry();
  const answers = new Counter({
    name: 'landline_initiation_answers_total',
    help: 'Answers to conversation initiation, by what they say of the caller and why.',
    labelNames: ['kind', 'because'],
    registers: [registry],
  });
  const answerSeconds = new Histogram({
    name: 'landline_initiation_answer_seconds',
    help: 'Time from a request’s headers to its answer.',
    labelNames: ['kind'],
    buckets: ANSWER_BUCKETS,
    registers: [registry],
  });
  const refused = new Counter({
    name: 'landline_initiation_refused_total',
    help: 'Requests answered 401, by code.',
    labelNames: ['code'],
    registers: [registry],
  });
  const events = new Counter({
    name: 'landline_initiation_events_total',
    help: 'conversation.started of calls that begin, by what became of them.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const [kind, reasons] of Object.entries(REASONS)) {
    for (const because of reasons) answers.inc({ kind, because }, 0);
    answerSeconds.zero({ kind });
  }
  for (const code of REFUSALS) refused.inc({ code }, 0);
  for (const result of ['enqueued', 'lost'] satisfies StartedResult[]) events.inc({ result }, 0);
  addGauge(registry, {
    name: 'landline_initiation_database_up',
    help: 'Whether the database answers look-ups in time: 1 or 0.',
    read: () => Number(isUp()),
  });
  return { registry, answers, answerSeconds, refused, events };
}
