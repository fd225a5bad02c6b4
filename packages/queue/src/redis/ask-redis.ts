import { QueueUnavailableError } from '../errors.ts';
import { cleanError } from './clean-error.ts';

/**
 * Asks Redis once the first attempt to connect has ended, and returns its answer.
 *
 * @param connected  The promise of `firstAttempt` for the connection that `question` uses.
 * @param message    The message of the error.
 * @throws           QueueUnavailableError when Redis does not answer; its cause is Redis's own error.
 */
export async function askRedis<T>(connected: Promise<void>, message: string, question: () => Promise<T>): Promise<T> {
  await connected;
  try {
    return await question();
  } catch (error) {
    throw new QueueUnavailableError(message, { cause: cleanError(error) });
  }
}
