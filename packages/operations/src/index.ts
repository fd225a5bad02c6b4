export { createEngine, OPERATION_EVENTS, type Engine, type EngineOptions, type OperationEvent } from './engine.ts';
export type { OperationContext, OperationKind } from './operation-kind.ts';
export { BodyMissingError, OperationFailedError, type BodyMissingReason } from './errors.ts';
export { openBoundRecordingStorage } from './body/bound-recording-storage.ts';
export { openRecordingStorage, type RecordingStorage } from './body/recording-storage.ts';
export { checkBody, type BodyCheck } from './body/body-check.ts';
export { audioUrl, recordingOf, wholeBody } from './body/whole-body.ts';
export { counted } from './counted.ts';
export { eraseKind } from './erase/erase.ts';
export { describeErasure } from './erase/counts.ts';
export type { ErasePorts, ForgottenInRedis, HeldEvent } from './erase/erase-ports.ts';
export { ERASE, erasureWords, type ErasureRequest } from './erase/erasure-filter.ts';
export { operationVariables } from './variables.ts';
export { openRemover } from '@landline/recordings';
export { removeRecordings, type RemovedRecordings, type RemovePorts } from './recordings/remove-recordings.ts';
export { REPLAY, replayKind } from './replay/replay.ts';
export type { OperationJob, OperationQueue } from './job-adder.ts';
export type { ReplayLetters, ReplayPorts, ReplayQueue } from './replay/replay-ports.ts';
export { noReadmissions, readmitPage, type Accepting, type ReadmissionCounts } from './readmit/readmit-page.ts';
export { READMIT, readmitKind, readmitWords, type ReadmitPorts } from './readmit/readmit.ts';
export { cutoffsOf, policyWords, type RetentionPolicy } from './retention/policy.ts';
export { retentionKind } from './retention/retention.ts';
export type { RetentionLetters, RetentionPorts } from './retention/retention-ports.ts';
export { readPolicy, retentionVariables } from './retention/variables.ts';
export { codeOfFold } from './rebuild/code-of.ts';
export { isRebuilt, KEPT_MS, tidyRebuilds } from './rebuild/kept.ts';
export { rebuildKind } from './rebuild/rebuild.ts';
export {
  explainConversationRefusal,
  REBUILD_CONVERSATION,
  rebuildConversationKind,
  type RebuildConversationPorts,
} from './rebuild/rebuild-conversation.ts';
export type { RebuildPorts } from './rebuild/rebuild-ports.ts';
export { REBUILD, rebuildCheckpointSchema, type RebuildCheckpoint } from './rebuild/rebuild-request.ts';
export { checkProvider, type ProviderCheckPorts } from './provider-check/check-provider.ts';
export type { UrlTry } from './provider-check/findings/reach.ts';
export { describeWebhook, ownWebhooks } from './provider-check/own-webhooks.ts';
export {
  FINDING_LEVELS,
  providerCheckSchema,
  type Finding,
  type ProviderCheck,
} from './provider-check/provider-check.ts';
export { acceptFetched } from './reconcile/accept-fetched.ts';
export { openAudioSink } from './reconcile/audio-sink.ts';
export { fetchConversationKind } from './reconcile/fetch-conversation.ts';
export { planReconciliation, type ReconcilePlan } from './reconcile/plan-reconciliation.ts';
export { reconcileKind } from './reconcile/reconcile.ts';
export type { ReconcilePorts } from './reconcile/reconcile-ports.ts';
export { reconcileVariables } from './reconcile/reconcile-variables.ts';
export { FETCH_CONVERSATION, fetchConversationWords, RECONCILE, reconcileWords } from './reconcile/reconcile-words.ts';
