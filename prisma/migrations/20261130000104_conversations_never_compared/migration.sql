-- Finds the conversations that were never compared, by their beginning. The first comparison takes them out.
-- CreateIndex
CREATE INDEX "conversations_never_compared" ON "conversations"("started_at") WHERE (completeness IS NULL);
