/** A process that this process has started. */
export interface RunningProcess {
  pid: number;
  /** Resolves when the process has ended, with the exit code or the signal: `code 1`, `SIGKILL`. */
  exited: Promise<string>;
  /** Ends the process. Does nothing when the process has ended already. */
  stop: () => Promise<void>;
}

/** A server that runs on this machine for Landline alone. `stop` keeps its data. */
export interface Service extends RunningProcess {
  /** The address for clients, with the password. */
  url: string;
}
