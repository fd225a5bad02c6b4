import { type ProcessOptions, startProcess, type StartedProcess } from '@landline/local-servers';

/** A Node program to run. */
export interface NodeProgram {
  /** The script's absolute path. */
  script: string;
  /** The program's whole environment beside PATH. */
  env: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  nodeArguments?: readonly string[];
}

/** Starts a Node program and does not wait until it is ready. It ends with this process, however this process ends. */
export function startNode(
  { script, env, nodeArguments = [] }: NodeProgram,
  output: Pick<ProcessOptions, 'outputLimit' | 'log'> = {},
): Promise<StartedProcess> {
  const { PATH = '' } = process.env;
  return startProcess({
    command: process.execPath,
    args: [...nodeArguments, script],
    env: { PATH, ...env },
    name: script,
    // By the channel's end an app learns that the process that started it is gone.
    channel: 'json',
    endsWithUs: true,
    ...output,
  });
}
