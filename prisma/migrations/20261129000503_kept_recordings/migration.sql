-- Finds the recordings that lie in the storage, by their age.
-- CreateIndex
CREATE INDEX "conversation_recordings_kept" ON "conversation_recordings"("created_at") WHERE (url IS NOT NULL AND deleted_at IS NULL);
