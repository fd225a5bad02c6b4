-- Finds the conversations whose audio is to be deleted. Most accounts order nothing, and are not in this index.
-- CreateIndex
CREATE INDEX "conversations_audio_to_delete" ON "conversations"("delete_audio_at", "id") WHERE (delete_audio_at IS NOT NULL);
