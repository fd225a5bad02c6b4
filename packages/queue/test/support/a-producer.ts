import { onTestFinished } from 'vitest';
import { createProducer, type Producer, type ProducerOptions } from '../../src/producer.ts';

export interface TestProducer extends Producer {
  warnings: string[];
  errors: Error[];
  /** How often it said that Redis is back. */
  returns: () => number;
}

/** A producer that is closed when the test ends, and what it told. */
export function aProducer(options: Pick<ProducerOptions, 'redisUrl'> & Partial<ProducerOptions>): TestProducer {
  const warnings: string[] = [];
  const errors: Error[] = [];
  let returns = 0;
  const producer = createProducer({
    batchMaxEvents: 200,
    batchMaxBytes: 1_048_576,
    enqueueTimeoutMs: 1000,
    onWarning: (message) => warnings.push(message),
    onError: (error) => errors.push(error),
    onReady: () => {
      returns += 1;
    },
    ...options,
  });
  onTestFinished(() => producer.close());
  return { ...producer, warnings, errors, returns: () => returns };
}
