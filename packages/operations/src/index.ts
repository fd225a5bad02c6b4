export { createEngine, OPERATION_EVENTS, type Engine, type EngineOptions, type OperationEvent } from './engine.ts';
export type { OperationContext, OperationKind } from './operation-kind.ts';
export { OperationFailedError } from './errors.ts';
export { REPLAY, replayKind } from './replay/replay.ts';
export type { ReplayJob, ReplayLetters, ReplayPorts, ReplayQueue } from './replay/replay-ports.ts';
