import { peekType } from '@landline/webhook';
import { expect, vi } from 'vitest';
import { exampleEvent } from '../support/example-event.ts';
import type { Pipe } from '../support/pipe.ts';
import { signed, WEBHOOK_PATH } from '../support/post.ts';
import { openConnection, rawPost, statusesIn } from '../support/raw-connection.ts';

/** How many bytes fit into one read of a socket: requests that are written together in fewer bytes arrive together. */
const ONE_READ = 16_384;

/**
 * Sends a body between two good ones, so that all three are in one job. Only then the worker may take the job. Audio has a job of its own.
 *
 * @returns  The two good bodies.
 */
export async function sendAmongOthers(pipe: Pipe, body: Buffer): Promise<Buffer[]> {
  const [before, after] = [exampleEvent('conversation.message'), exampleEvent('post_call_transcription')];
  const requests = Buffer.concat([before, body, after].map((each) => rawPost(WEBHOOK_PATH, signed(each), each)));
  await pipe.queues.events.pause();
  const connection = await openConnection(pipe.receiver.url);
  connection.write(requests);
  const jobs = await pipe.untilQueued(3);
  await vi.waitUntil(() => statusesIn(connection.received()).length === 3, { timeout: 20_000 });
  connection.cut();
  expect(statusesIn(connection.received())).toEqual([200, 200, 200]);
  // Audio goes by way of the spool, and comes in a job of its own.
  const isTogether = requests.length < ONE_READ && peekType(body.toString()) !== 'post_call_audio';
  expect(jobs).toHaveLength(isTogether ? 1 : jobs.length);
  await pipe.queues.events.resume();
  return [before, after];
}
