/** A process of ours that runs. */
export interface RunningProcess {
  pid: number;
  /** Resolves when it has ended, whoever ended it, with how: `code 1`, `SIGKILL`. */
  exited: Promise<string>;
  /** Ends it. Again on an ended one: does nothing. */
  stop: () => Promise<void>;
}

/** A server that runs on this machine for us alone. `stop` keeps its data. */
export interface Service extends RunningProcess {
  /** Where clients connect, with the password. */
  url: string;
}
