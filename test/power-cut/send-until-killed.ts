import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { post } from '../support/post.ts';

/** How many requests are under way at once. */
const SENDERS = 16;

/**
 * Sends signed events until `killAfter` of them were answered 200. Then it calls `kill`, and waits for the requests under way.
 *
 * @param text  The text of each event; by default some 250 bytes.
 * @returns     The bodies that were answered 200.
 */
export async function sendUntilKilled(
  url: string,
  killAfter: number,
  kill: () => Promise<void>,
  { text = 'text '.repeat(50) }: { text?: string } = {},
): Promise<string[]> {
  const answered: string[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  let killing: Promise<void> | undefined;
  async function sendInTurn(): Promise<void> {
    while (killing === undefined) {
      const body = JSON.stringify({
        type: 'conversation.message',
        message_id: randomUUID(),
        message: text,
      });
      // oxlint-disable-next-line no-await-in-loop -- a sender waits for its answer
      const status = await post(url, body, { agent }).then(
        (answer) => answer.status,
        () => undefined,
      );
      if (status === 200) answered.push(body);
      else if (killing === undefined) throw new Error(`answered ${status} before anything was broken`);
      if (answered.length >= killAfter) killing ??= kill();
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sendInTurn));
  await killing;
  agent.destroy();
  return answered;
}
