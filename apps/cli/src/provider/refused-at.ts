import type { ReconcileStore } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { askRejected } from '../rejected/ask-rejected.ts';

/** The most refused requests that are looked at around one moment. */
const MOST = 20;

/**
 * Makes a look-up of refused requests that opens the database when it is first asked. Where there is none, it says so and throws.
 *
 * @param context  Its environment is that of .env as well.
 */
export function refusedAt(context: CommandContext): ReconcileStore['refusedBetween'] {
  const { print, printError = print } = context;
  return (since, until) =>
    askRejected(context, (rejected) => rejected.list({ since, until: until + 1 }, { limit: MOST })).catch(
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        printError(`What Landline answered at the last failure could not be looked up. ${reason}`);
        throw error;
      },
    );
}
