-- Finds the events whose whole body lies in the storage beside the recordings. Hardly any does, so this index costs the others nothing. Its column is the
-- expression itself: who orders by it takes this index, for Postgres believes that nearly all rows have such a body.
-- CreateIndex
CREATE INDEX "webhook_events_body_in_storage" ON "webhook_events"((body_reference ->> 'bodyUrl')) WHERE ((body_reference ->> 'bodyUrl') IS NOT NULL);
