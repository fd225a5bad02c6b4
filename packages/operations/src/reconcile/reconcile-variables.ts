import { z } from 'zod';

function wholeNumber(name: string, { unit, max }: { unit: string; max: number }) {
  const error = `${name} must be a whole number of ${unit} from 1 to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,5}$/, error)
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, error);
}

/** When calls are compared with the provider, as a shape for a process's schema. */
export const reconcileVariables = {
  /** How often they are compared. */
  RECONCILE_INTERVAL_MINUTES: wholeNumber('RECONCILE_INTERVAL_MINUTES', { unit: 'minutes', max: 1_440 }).default(15),
  /** How far back the provider's list is asked for. Longer than the longest time for which nothing of ours may run. */
  RECONCILE_WINDOW_HOURS: wholeNumber('RECONCILE_WINDOW_HOURS', { unit: 'hours', max: 8_760 }).default(72),
};
