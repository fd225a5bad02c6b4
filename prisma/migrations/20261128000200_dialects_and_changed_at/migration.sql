-- A dialect for each language, and when a conversation's row was last written here. No row is rewritten: every new
-- column has one constant for the rows that are there (for changed_at the time of this migration).
-- AlterTable
ALTER TABLE "conversations"
    ADD COLUMN "dialects" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "dialects_clocks" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now();

-- From here on by the clock and not by the transaction's start: a transaction that waited for the row's lock is the later.
ALTER TABLE "conversations" ALTER COLUMN "changed_at" SET DEFAULT clock_timestamp();

-- An UPDATE that finds room on its row's page leaves all indexes alone.
ALTER TABLE "conversations" SET (fillfactor = 80);

-- AlterTable
ALTER TABLE "user_profiles"
    ADD COLUMN "dialects" JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN "dialects_clocks" JSONB NOT NULL DEFAULT '{}';
