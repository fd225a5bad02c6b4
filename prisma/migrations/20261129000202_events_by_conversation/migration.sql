-- The conversation alone: equal keys share their place in the index, which is a third as large as with the time.
-- CreateIndex
CREATE INDEX "webhook_events_conversation_id_idx" ON "webhook_events"("conversation_id");
