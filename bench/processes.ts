import { WORKER_NODE_OPTIONS } from '../apps/cli/src/start/apps.ts';
import { startNode, type NodeProgram } from '../test/support/node-process.ts';
import { isReady } from '../test/support/post.ts';
import { usageOf, type Usage } from '../test/support/usage.ts';

/** A process of a contender. */
export interface RunningProgram {
  pid: number;
  /** @throws When it has ended. */
  usage: () => Usage;
  /** Sends SIGTERM, and SIGKILL when the program does not end. @throws When the program had ended by itself. */
  stop: () => Promise<void>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const ASK_MS = 25;
/** How much of a program's last output is kept, in characters. */
const OUTPUT_LIMIT = 4000;

/** Starts the worker of a contender or of the limit. Each gets the Node options that Landline ships its own worker with. */
export function startWorker(program: NodeProgram): Promise<RunningProgram> {
  return startProgram({ ...program, nodeArguments: WORKER_NODE_OPTIONS });
}

/** Starts a program. With `origin` it waits until the program is ready at that URL. The program ends when this process ends. */
export async function startProgram(program: NodeProgram, origin?: string): Promise<RunningProgram> {
  const started = await startNode(program, { outputLimit: OUTPUT_LIMIT });
  const failWhenEnded = (): void => {
    if (!started.isRunning()) throw new Error(`${program.script} ended by itself:\n${started.output()}`);
  };
  const takesRequests = async (): Promise<boolean> => origin === undefined || isReady(origin);
  await started.until(takesRequests, { withinMs: START_LIMIT_MS, pollMs: ASK_MS }).catch((error: unknown) => {
    started.kill('SIGKILL');
    throw error;
  });
  return {
    pid: started.pid,
    usage() {
      failWhenEnded();
      return usageOf(started.pid);
    },
    async stop() {
      failWhenEnded();
      await started.stop(STOP_LIMIT_MS);
    },
  };
}
