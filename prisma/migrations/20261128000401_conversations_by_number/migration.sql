-- CreateIndex
CREATE INDEX "conversations_external_number_started_at_idx" ON "conversations"("external_number", "started_at" DESC);
