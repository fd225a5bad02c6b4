-- Reads the table once, while others read it and write to it.
-- AlterTable
ALTER TABLE "conversations" VALIDATE CONSTRAINT "conversations_completeness_check";
