-- Where the rest of a large body is. A column without a default rewrites no row, and the lock on the table lasts for a moment.
-- AlterTable
ALTER TABLE "webhook_events" ADD COLUMN "body_reference" JSONB;
