-- Finds the events whose whole body lies in the storage beside the recordings. Hardly any does, so this index costs the others nothing.
-- CreateIndex
CREATE INDEX "webhook_events_body_in_storage" ON "webhook_events"("received_at", "id") WHERE ((body_reference ->> 'bodyUrl') IS NOT NULL);
