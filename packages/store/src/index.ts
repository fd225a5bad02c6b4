export type { ApplicableEvent, ApplyOutcome } from './apply.ts';
export { migrationUrl } from './connection/database-url.ts';
export { MigrationError, StoreError, type FaultClass } from './errors.ts';
export { eventFilterSchema, filterWords, FILTER_WORDS, type EventFilter } from './find/event-filter.ts';
export type { EventPosition } from './find/filter-conditions.ts';
export type { EventCounts } from './find/event-counts.ts';
export type { FoundEvent } from './find/found-event.ts';
export type { EventState, Ledger, SizedEvent, StoredBody } from './find/ledger.ts';
export { openLedger } from './find/open-ledger.ts';
export { chunksOf, countMatching, searchText } from './find/search-text.ts';
export { textMatcher } from './find/text-matcher.ts';
export { openErasures, type Erasing, type Erasure, type ErasurePlan } from './forget/erasing.ts';
export type { Forgotten, ForgottenCounts, HowToForget } from './forget/forget-conversations.ts';
export type { WhatToForget } from './forget/forget-statements.ts';
export type { RecordingsToRemove, RecordingToRemove } from './forget/recordings-to-remove.ts';
export { hashSubject } from './forget/subject-hash.ts';
export { subjectSchema, SUBJECT_KINDS, type Person, type Subject } from './forget/subject.ts';
export type { Beat } from './ledger/beat.ts';
export type { DeadListing, DeadPosition, DeadRecord } from './ledger/dead-statement.ts';
export type { DeadEvent } from './ledger/ledger-statement.ts';
export { MOST_COUNTED, type Attention } from './lookup/attention.ts';
export {
  conversationFilterSchema,
  CALL_OUTCOMES,
  CONVERSATION_FILTER_WORDS,
  needsSearch,
  type ConversationFilter,
} from './lookup/conversation-filter.ts';
export type { ConversationLookup, WholeConversation } from './lookup/conversation-lookup.ts';
export type { ConversationSearchStep } from './lookup/conversation-search.ts';
export type {
  LookedUpCommand,
  LookedUpConversation,
  LookedUpMessage,
  LookedUpProfile,
  LookedUpToolCall,
} from './lookup/conversation-parts.ts';
export type { FailureGroup, GatheredFailures } from './lookup/failure-groups.ts';
export type { FailureLookup, FailureStep } from './lookup/failure-lookup.ts';
export type { FailureMarks } from './lookup/failure-marks.ts';
export type { FoundConversation, StartedPosition } from './lookup/found-conversation.ts';
export { openLookups, type LookupOptions, type Lookups } from './lookup/lookups.ts';
export type { FoundRun, ReconcileLookup } from './lookup/reconcile-lookup.ts';
export type { RejectedCause, RejectedLookup } from './lookup/rejected-lookup.ts';
export { openOperations, type OperationStore } from './operations/operation-store.ts';
export type { Operation, OperationPosition, OperationProgress, OperationRequest } from './operations/operation.ts';
export { describeCaller, type Caller } from './read/caller.ts';
export { readEvent, type EventBeginning, type StoredEvent, type StoredRecording } from './read/event.ts';
export type { FoundCaller } from './read/found-caller.ts';
export { readQuery } from './read/read-query.ts';
export type { RejectedFilter, RejectedListing, RejectedPosition, RejectedRow } from './rejected/rejected-row.ts';
export type { RejectedTable } from './rejected/rejected-table.ts';
export { createReader, type Reader } from './read/reader.ts';
export type { Cutoffs } from './retention/cutoffs.ts';
export {
  openRetention,
  type ConversationPage,
  type DueConversation,
  type LaidLetter,
  type RetentionStore,
  type WalkedConversation,
} from './retention/retention-store.ts';
export type { ConversationPosition } from './retention/row-statements.ts';
export { RECONCILE, RETENTION, SCHEDULE } from './retention/run-statements.ts';
export type { PlaceSurvey, Survey } from './retention/survey.ts';
export { migrate, prepareTables, type MigrateOptions, type Prepared } from './schema/migrate.ts';
export { ROLES, type Role } from './schema/role-statements.ts';
export { makeRoles } from './schema/roles.ts';
export { createStore, type Store, type StoreOptions } from './store.ts';
export type { Folded } from './rebuild/fold-events.ts';
export { FOLDED_AT_ONCE } from './rebuild/fold-events.ts';
export type { AppliedEvents } from './rebuild/read-applied.ts';
export {
  openConversationRebuilds,
  type ConversationRebuilds,
  type RebuiltConversation,
} from './rebuild/conversation-rebuilds.ts';
export {
  MOST_CONVERSATION_BYTES,
  MOST_CONVERSATION_EVENTS,
  refusalOf,
  type ConversationPlan,
  type ConversationRefusal,
} from './rebuild/rebuild-conversation.ts';
export { openRebuilds, type Rebuilds } from './rebuild/rebuilds.ts';
export type { KeptTables, RebuildPlan, RebuildState, TableDifference } from './rebuild/rebuild-state.ts';
export { readerVariables, storeVariables } from './variables.ts';
export {
  COMPLETENESS,
  type Completeness,
  type KnownCall,
  type ListedCall,
  type ReconcileRun,
  type ReconcileStore,
  type UnfetchableCall,
} from './reconcile/reconcile.ts';
export { openReconcileReader, type OpenReconcileReader } from './reconcile/reconcile-store.ts';
