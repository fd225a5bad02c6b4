-- The six tables of Landline. See prisma/schema.prisma for what each column holds.
-- CreateTable
CREATE TABLE "webhook_events" (
    "id" UUID NOT NULL,
    "event_key" TEXT,
    "type" TEXT,
    "conversation_id" TEXT,
    "event_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "applied_at" TIMESTAMPTZ(3),
    "origin" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "error" JSONB,
    "body" BYTEA NOT NULL,

    CONSTRAINT "webhook_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "conversations" (
    "id" TEXT NOT NULL,
    "agent_id" TEXT,
    "user_id" TEXT,
    "status" TEXT NOT NULL,
    "channel" TEXT,
    "direction" TEXT,
    "external_number" TEXT,
    "agent_number" TEXT,
    "call_sid" TEXT,
    "language" TEXT,
    "dialect" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "duration_seconds" DOUBLE PRECISION,
    "end_reason" TEXT,
    "failure_reason" TEXT,
    "title" TEXT,
    "summary" TEXT,
    "call_successful" TEXT,
    "cost_credits" DOUBLE PRECISION,
    "analysis" JSONB,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "clocks" UUID[],
    "metadata_clocks" JSONB NOT NULL DEFAULT '{}',
    "transcript_clock" UUID,

    CONSTRAINT "conversations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "conversation_messages" (
    "conversation_id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "event_key" TEXT NOT NULL,
    "position" INTEGER,
    "role" TEXT,
    "content" TEXT,
    "language" TEXT,
    "time_in_call_seconds" DOUBLE PRECISION,
    "interrupted" BOOLEAN,
    "details" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "clock" UUID NOT NULL,

    CONSTRAINT "conversation_messages_pkey" PRIMARY KEY ("conversation_id","source","event_key")
);

-- CreateTable
CREATE TABLE "agent_tool_calls" (
    "conversation_id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "tool_name" TEXT,
    "tool_type" TEXT,
    "parameters" JSONB,
    "result" JSONB,
    "is_error" BOOLEAN,
    "latency_seconds" DOUBLE PRECISION,
    "details" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "clock" UUID NOT NULL,
    "clocks" UUID[],

    CONSTRAINT "agent_tool_calls_pkey" PRIMARY KEY ("conversation_id","source","request_id")
);

-- CreateTable
CREATE TABLE "user_commands" (
    "conversation_id" TEXT NOT NULL,
    "action_id" TEXT NOT NULL,
    "user_id" TEXT,
    "command" TEXT,
    "parameters" JSONB,
    "status" TEXT,
    "details" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "clocks" UUID[],

    CONSTRAINT "user_commands_pkey" PRIMARY KEY ("conversation_id","action_id")
);

-- CreateTable
CREATE TABLE "user_profiles" (
    "user_id" TEXT NOT NULL,
    "language" TEXT,
    "dialect" TEXT,
    "personality" JSONB,
    "phone_number" TEXT,
    "attributes" JSONB NOT NULL DEFAULT '{}',
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "clocks" UUID[],
    "attributes_clocks" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "user_profiles_pkey" PRIMARY KEY ("user_id")
);

-- CreateIndex
CREATE INDEX "webhook_events_dead" ON "webhook_events"("received_at") WHERE (outcome = 'dead');

-- CreateIndex
CREATE INDEX "conversations_started_at_idx" ON "conversations"("started_at" DESC);

-- CreateIndex
CREATE INDEX "conversation_messages_created_at_idx" ON "conversation_messages"("created_at" DESC);

