import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describeExit, startProcess } from '@landline/local-servers';
import type { Command, Load, LoadResult, Reply } from './load.ts';

/** A load whose requests lie ready in the generator. */
export interface PreparedLoad {
  /** Sends the load, and ends the generator. */
  run: () => Promise<LoadResult>;
}

/** How long making and sending a load may take on top of its own time, in milliseconds. */
const MARGIN_MS = 120_000;

/** Makes the events of a load in a process of its own, before the load is sent. */
export async function prepareLoad(load: Load): Promise<PreparedLoad> {
  const { child, exited } = await startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL('generator-process.js', import.meta.url))],
    env: {},
    output: 'inherit',
    channel: 'advanced',
    endsWithUs: true,
  });
  const failed = exited.then((exit) => Promise.reject(new Error(`The load generator ended: ${describeExit(exit)}.`)));
  async function ask(command: Command): Promise<Reply> {
    child.send(command);
    const signal = AbortSignal.timeout(Math.ceil(load.seconds * 1000) + MARGIN_MS);
    const answered = once(child, 'message', { signal }).then(([reply]: Reply[]) => reply);
    const reply = await Promise.race([answered, failed]);
    if (reply === undefined) throw new Error('The load generator said nothing.');
    return reply;
  }
  await ask({ prepare: load });
  return {
    async run() {
      const reply = await ask('run');
      if (reply === 'prepared') throw new Error('The load generator answered out of turn.');
      child.send('leave' satisfies Command);
      await exited;
      return reply.result;
    },
  };
}
