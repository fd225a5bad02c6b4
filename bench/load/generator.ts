import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, Load, LoadResult, Reply } from './load.ts';

/** A load that lies ready. */
export interface PreparedLoad {
  pid: number;
  /** Sends it, and ends the generator. */
  run: () => Promise<LoadResult>;
}

/** How long making and sending a load may take on top of its own time, in milliseconds. */
const MARGIN_MS = 120_000;

/** Makes the events of a load in a process of its own, so that none is made while it is sent. */
export async function prepareLoad(load: Load): Promise<PreparedLoad> {
  const child = fork(fileURLToPath(new URL('generator-process.js', import.meta.url)), { serialization: 'advanced' });
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ask = async (command: Command): Promise<Reply> => {
    child.send(command);
    return answerOf(child, load.seconds * 1000 + MARGIN_MS);
  };
  await ask({ prepare: load });
  return {
    pid: child.pid ?? 0,
    async run() {
      const reply = await ask('run');
      if (reply === 'prepared') throw new Error('The load generator answered out of turn.');
      child.send('leave' satisfies Command);
      await once(child, 'exit');
      process.off('exit', killWithUs);
      return reply.result;
    },
  };
}

/** Makes a load and sends it. */
export async function sendLoad(load: Load): Promise<LoadResult> {
  return (await prepareLoad(load)).run();
}

async function answerOf(child: ChildProcess, withinMs: number): Promise<Reply> {
  const limit = AbortSignal.timeout(Math.ceil(withinMs));
  const failed = once(child, 'exit', { signal: limit }).then(([code]) => {
    throw new Error(`The load generator ended with code ${String(code)}.`);
  });
  const answered = once(child, 'message', { signal: limit }).then(([reply]: Reply[]) => reply);
  const reply = await Promise.race([answered, failed.catch((error: unknown) => Promise.reject(error))]);
  if (reply === undefined) throw new Error('The load generator said nothing.');
  return reply;
}
