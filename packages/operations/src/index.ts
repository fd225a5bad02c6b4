export { createEngine, OPERATION_EVENTS, type Engine, type EngineOptions, type OperationEvent } from './engine.ts';
export type { OperationContext, OperationKind } from './operation-kind.ts';
export { OperationFailedError } from './errors.ts';
export { operationVariables } from './variables.ts';
export { openRemover } from '@landline/recordings';
export { removeRecordings, type RemovedRecordings, type RemovePorts } from './recordings/remove-recordings.ts';
export { REPLAY, replayKind } from './replay/replay.ts';
export type { ReplayJob, ReplayLetters, ReplayPorts, ReplayQueue } from './replay/replay-ports.ts';
