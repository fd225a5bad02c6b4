-- The ledger holds no bodies any more. `landline migrate` has moved them in batches before this runs. Whoever applies migrations by another
-- way moves what is left here, in one transaction that keeps all writers waiting. A worker of the version before waits from now on.
LOCK TABLE "webhook_events" IN ACCESS EXCLUSIVE MODE;
DO $$ BEGIN
    WHILE landline_move_bodies(100000, 1073741824) <> 'done' LOOP NULL; END LOOP;
END $$;

DROP TRIGGER "webhook_events_move_inserted" ON "webhook_events";
DROP TRIGGER "webhook_events_move_updated" ON "webhook_events";
DROP FUNCTION "landline_move_inserted_bodies"();
DROP FUNCTION "landline_move_updated_body"();
DROP FUNCTION "landline_move_bodies"(integer, bigint);
DROP TABLE "webhook_bodies_move";

-- AlterTable
ALTER TABLE "webhook_events" DROP COLUMN "body";
ALTER TABLE "webhook_events" ALTER COLUMN "body_bytes" DROP DEFAULT;
