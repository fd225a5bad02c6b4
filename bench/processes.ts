import { WORKER_NODE_OPTIONS } from '../apps/cli/src/start/apps.ts';
import { startNode, type NodeProgram } from '../test/support/node-process.ts';
import { isReady } from '../test/support/post.ts';
import { usageOf, type Usage } from '../test/support/usage.ts';

/** A process of a contender. */
export interface RunningProgram {
  pid: number;
  /** @throws When it has ended. */
  usage: () => Usage;
  /** SIGTERM, and SIGKILL when that does not help. @throws When it had ended by itself. */
  stop: () => Promise<void>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const ASK_MS = 25;
/** How much of what a process said last is kept, in characters. */
const OUTPUT_LIMIT = 4000;

/** Starts a worker, a contender's or the limit's: all with the options of Node's own that Landline ships its with. */
export function startWorker(program: NodeProgram): Promise<RunningProgram> {
  return startProgram({ ...program, nodeArguments: WORKER_NODE_OPTIONS });
}

/** Starts a program; with `origin`, waits until it says there that it is ready. It ends with this process, however that ends. */
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
