-- Finds the conversations whose transcript is to be deleted. Most accounts order nothing, and what is forgotten leaves the index.
-- CreateIndex
CREATE INDEX "conversations_transcript_to_delete" ON "conversations"("delete_transcript_at") WHERE (delete_transcript_at IS NOT NULL AND erased_at IS NULL);
