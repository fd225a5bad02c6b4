import type { RejectedFilter } from '@landline/store';
import { CAUSES, isCause } from '@landline/webhook/causes';
import { CliError } from '../errors.ts';
import { readTime } from '../journal/read-time.ts';

/** The options of a filter, for `parseArgs`. */
export const FILTER_OPTIONS = {
  since: { type: 'string' },
  until: { type: 'string' },
  cause: { type: 'string' },
} as const;

/** The options of a filter as they were given. */
export type FilterValues = { [name in keyof typeof FILTER_OPTIONS]?: string | undefined };

/** Reads a filter. @throws {CliError} `arguments_invalid` */
export function readFilter({ since, until, cause }: FilterValues): RejectedFilter {
  const now = Date.now();
  if (cause !== undefined && !isCause(cause)) {
    throw new CliError('arguments_invalid', `--cause takes one of: ${Object.keys(CAUSES).join(', ')}.`);
  }
  return {
    ...(since !== undefined && { since: readTime('--since', since, now) }),
    ...(until !== undefined && { until: readTime('--until', until, now) }),
    ...(cause !== undefined && { cause }),
  };
}
