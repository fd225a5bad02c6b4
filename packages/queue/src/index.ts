export {
  quantile,
  RECEIPT_TO_ROW_BUCKETS_MS,
  type ActivityCount,
  type MinuteActivity,
} from './activity/activity-counts.ts';
export { createActivityWriter, type ActivityWriter } from './activity/activity-writer.ts';
export { openActivity, type Activity } from './activity/activity.ts';
export type { ProcessSample } from './activity/process-sample.ts';
export { createConsumer, type Consumer } from './consume/consumer.ts';
export { createJobMemory } from './consume/job-memory.ts';
export { openQuestions, type Questions } from './consume/questions.ts';
export type { JobFailure } from './consume/job-failure.ts';
export type { ConsumedJob } from './consume/process-job.ts';
export { QueueUnavailableError, RedisRefusedError } from './errors.ts';
export { forgetJobs, type ForgetJobsOptions, type ForgottenJobs } from './forget/forget-jobs.ts';
export { forgetRequests } from './forget/forget-requests.ts';
export type { CarriedEvent } from './forget/job-contents.ts';
export type { Backlog } from './jobs/backlog.ts';
export { countJobs } from './jobs/count-jobs.ts';
export type { DeadLetter, DeadLetters } from './jobs/dead-letter.ts';
export type { PostgresBeats } from './jobs/postgres-beats.ts';
export { openQueues, type OpenQueues } from './jobs/queues.ts';
export { DEAD_LETTER_QUEUE, OPERATIONS_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE, WEBHOOK_QUEUE } from './names.ts';
export { createTaskConsumer, type TaskConsumer } from './operations/task-consumer.ts';
export { OPERATIONS_TASK, type Task } from './operations/task.ts';
export { openTrackedJobs, type TrackedJobs } from './operations/tracked-jobs.ts';
export { wakeOperations } from './operations/wake-operations.ts';
export type { QueueStatus } from './redis/availability-state.ts';
export type { CanaryMark } from './redis/canary-mark.ts';
export { createProducerConnection } from './redis/connection.ts';
export { reportChanges } from './redis/report-changes.ts';
export type { RedoRequest } from './redis/redo-requests.ts';
export { createRejectedConsumer } from './rejected/rejected-consumer.ts';
export { MAX_KEPT_BODY_BYTES, type RejectedRequest } from './rejected/rejected-request.ts';
export { openRejectedQueue, type RejectedOutcome, type RejectedQueue } from './rejected/rejected-queue.ts';
export type { AskedStart, StartRequest } from './requests/asked-starts.ts';
export { consoleRequestSchema, type ConsoleRequest } from './requests/console-request.ts';
export { openConsoleRequests, type ConsoleRequests } from './requests/open-console-requests.ts';
export { createRequestConsumer, type TakenRequest } from './requests/request-consumer.ts';
export { describeRedisUrl } from './servers/redis-address.ts';
export { shardPlaces, type QueueServers } from './servers/shard-places.ts';
export { openBacklogs } from './shards/backlogs.ts';
export { openShard, type Shard } from './shard.ts';
export { createCanaryMark } from './shards/canary-mark.ts';
export { createDeadLetters } from './shards/dead-letters.ts';
export { openPostgresBeats } from './shards/postgres-beats.ts';
export { openAllQueues, type AllQueues, type ShardQueues } from './shards/queues.ts';
export type { QueueOverview } from './shards/overview.ts';
export { watchOldShards, type OldShard, type OldShardWatch } from './shards/old-shards.ts';
export { readQueueServers } from './servers/read-servers.ts';
export { queueVariables } from './variables.ts';
