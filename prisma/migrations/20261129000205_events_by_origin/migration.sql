-- Nearly all events came by the webhook, and are not in this index.
-- CreateIndex
CREATE INDEX "webhook_events_by_origin" ON "webhook_events"("origin", "received_at", "id") WHERE (origin <> 'webhook');
