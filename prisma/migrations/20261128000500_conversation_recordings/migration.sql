-- The recordings of calls. The same audio of a conversation is one row, however often it comes.
-- CreateTable
CREATE TABLE "conversation_recordings" (
    "conversation_id" TEXT NOT NULL,
    "event_id" UUID NOT NULL,
    "url" TEXT,
    "content_type" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "stored_at" TIMESTAMPTZ(3),
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "conversation_recordings_pkey" PRIMARY KEY ("conversation_id","sha256")
);

-- CreateIndex
CREATE INDEX "conversation_recordings_event_id_idx" ON "conversation_recordings"("event_id");
