-- Few events are ignored, so this index costs the others nothing.
-- CreateIndex
CREATE INDEX "webhook_events_ignored" ON "webhook_events"("received_at", "id") WHERE (outcome = 'ignored');
