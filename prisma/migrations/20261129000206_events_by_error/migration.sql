-- Only dead events have an error.
-- CreateIndex
CREATE INDEX "webhook_events_by_error" ON "webhook_events"((error ->> 'code'), "received_at", "id") WHERE (outcome = 'dead');
