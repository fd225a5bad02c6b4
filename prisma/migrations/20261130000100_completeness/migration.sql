-- How complete a conversation is, as the last comparison with the provider has found it: packages/store/src/reconcile/reconcile.ts. Unset: never compared.
-- Beside it, why it is unfetchable or still missing. A column without a default rewrites no row, and the rows that are there are checked by the next migration: the lock on the table lasts for a moment.
-- AlterTable
ALTER TABLE "conversations" ADD COLUMN "completeness" TEXT,
ADD COLUMN "completeness_reason" TEXT,
ADD CONSTRAINT "conversations_completeness_check" CHECK (completeness IN ('open', 'waiting', 'complete', 'missing', 'unfetchable', 'erased')) NOT VALID;
