-- Finds and counts the conversations that are not through. Of a million that are complete, none is in this index.
-- CreateIndex
CREATE INDEX "conversations_by_completeness" ON "conversations"("completeness", "id") WHERE (completeness <> 'complete' AND completeness <> 'erased' AND erased_at IS NULL);
