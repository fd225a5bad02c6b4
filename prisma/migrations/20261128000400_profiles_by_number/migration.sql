-- For who is calling: packages/store/src/caller-statement.ts. Each index stands on its own, for it keeps writers waiting while it reads the
-- table once. Readers go on.
-- CreateIndex
CREATE INDEX "user_profiles_phone_number_idx" ON "user_profiles"("phone_number");
