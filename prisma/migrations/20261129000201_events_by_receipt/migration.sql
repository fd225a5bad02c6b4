-- To find events: packages/store/src/find. Each index stands on its own, for it keeps writers waiting while it reads the table once. Readers
-- go on.
-- CreateIndex
CREATE INDEX "webhook_events_received_at_id_idx" ON "webhook_events"("received_at" DESC, "id" DESC);
