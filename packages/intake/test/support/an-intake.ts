import { onTestFinished } from 'vitest';
import { createIntake, type Intake, type IntakeOptions } from '../../src/intake.ts';

export interface TestIntake extends Intake {
  warnings: string[];
  errors: Error[];
  /** How often it said that Redis is back. */
  returns: () => number;
}

/** An intake that is closed when the test ends, and what it reported. Its limit is one that no stall of the machine reaches. */
export function anIntake(options: Pick<IntakeOptions, 'redisUrl'> & Partial<IntakeOptions>): TestIntake {
  const warnings: string[] = [];
  const errors: Error[] = [];
  let returns = 0;
  const intake = createIntake({
    batchMaxEvents: 200,
    batchMaxBytes: 1_048_576,
    enqueueTimeoutMs: 20_000,
    onWarning: (message) => warnings.push(message),
    onError: (error) => errors.push(error),
    onReady: () => {
      returns += 1;
    },
    ...options,
  });
  onTestFinished(() => intake.close());
  return { ...intake, warnings, errors, returns: () => returns };
}
