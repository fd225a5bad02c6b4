-- To find events: packages/store/src/find. It is read backwards for the newest: an index whose newest entry is the last one costs the least to
-- add to. Each index stands on its own, for it keeps writers waiting while it reads the table once. Readers
-- go on.
-- CreateIndex
CREATE INDEX "webhook_events_received_at_id_idx" ON "webhook_events"("received_at", "id");
