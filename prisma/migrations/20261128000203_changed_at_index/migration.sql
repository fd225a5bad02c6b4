-- On its own, for it keeps writers waiting while it reads the table once. Readers go on.
-- CreateIndex
CREATE INDEX "conversations_changed_at_idx" ON "conversations" USING BRIN ("changed_at");
