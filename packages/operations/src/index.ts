export { createEngine, OPERATION_EVENTS, type Engine, type EngineOptions, type OperationEvent } from './engine.ts';
export type { OperationContext, OperationKind } from './operation-kind.ts';
export { OperationFailedError } from './errors.ts';
export { REPLAY, replayKind } from './replay/replay.ts';
export type { OperationJob, OperationQueue } from './job-adder.ts';
export type { ReplayLetters, ReplayPorts, ReplayQueue } from './replay/replay-ports.ts';
export { noReadmissions, readmitPage, type Accepting, type ReadmissionCounts } from './readmit/readmit-page.ts';
export { READMIT, readmitKind, readmitWords, type ReadmitPorts } from './readmit/readmit.ts';
