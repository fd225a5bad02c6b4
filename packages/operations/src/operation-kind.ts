import type { Operation, OperationProgress } from '@landline/store';

/** What an operation works with. */
export interface OperationContext {
  /** As it was claimed: with the counts and the checkpoint that the worker before has written. */
  readonly operation: Operation;
  /** Aborted when the operation must end; the reason is an `OperationStoppedError`. */
  readonly signal: AbortSignal;
  /** How far the operation is. */
  readonly progress: () => OperationProgress;
  /** Changes how far the operation is; written within half a second. What is given together is written together. */
  readonly report: (progress: Partial<OperationProgress>) => void;
  /**
   * Runs `work`, again and again while Postgres or Redis is away. The operation's message says so meanwhile.
   *
   * @throws  What `work` throws otherwise; the signal's reason as soon as it is aborted.
   */
  readonly retry: <T>(work: () => Promise<T>) => Promise<T>;
  /**
   * Resolves when this worker has the operation for some seconds more. Call it before whatever a second worker must not do at the same time.
   *
   * @throws  The signal's reason when another worker has the operation.
   */
  readonly hold: () => Promise<void>;
  /**
   * Resolves when the progress that was reported last is written. Call it before what cannot be done again without that progress.
   *
   * @throws  The signal's reason when the operation must end.
   */
  readonly written: () => Promise<void>;
}

/** A kind of operations. Of each kind one runs at a time. */
export interface OperationKind {
  /** As `operations.kind` has it. */
  readonly kind: string;
  /** Whether this worker can only say why it cannot do it: see `OperationStore.claim`. */
  readonly isLastResort?: boolean;
  /**
   * Does the work from the checkpoint on; resolves when it is done.
   *
   * @throws  The reason of the signal when that is aborted; any other error makes the operation fail, and its message is kept.
   */
  run(context: OperationContext): Promise<void>;
}
