-- What is deleted by its age, or because the account of a call orders it: packages/operations/src/retention.
-- Columns without a default rewrite no row, and the lock on the table lasts for a moment.
-- AlterTable
ALTER TABLE "conversations" ADD COLUMN "delete_transcript_at" TIMESTAMPTZ(3),
ADD COLUMN "delete_audio_at" TIMESTAMPTZ(3);

-- Drops the partition of one day of bodies, and returns whether there was one. The worker calls this and owns no table, so the function works
-- with the rights of its owner, as `landline_make_body_partitions` does: it looks nothing up by the caller's search path, and takes the
-- owner's own webhook_bodies alone. Events may still be written for today and later, so these days are refused.
-- To drop a partition locks out all writers of its parent. Whoever waits for that lock lets no writer pass, so it waits for a moment
-- only (55P03), and the caller tries again later.
CREATE FUNCTION "landline_drop_body_partition"(day date, parent regclass DEFAULT 'webhook_bodies'::regclass)
RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    place name;
    part CONSTANT text := 'webhook_bodies_' || to_char(day, 'YYYYMMDD');
BEGIN
    SELECT n.nspname INTO place
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = parent AND c.relname = 'webhook_bodies' AND c.relkind = 'p' AND r.rolname = current_user;
    IF place IS NULL THEN
        RAISE EXCEPTION 'landline_drop_body_partition and webhook_bodies have not the same owner' USING ERRCODE = '42501';
    END IF;
    IF day >= (now() AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'landline_drop_body_partition drops only days that are over' USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent AND c.relname = part)
    THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE %I.%I', place, part);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION "landline_drop_body_partition"(date, regclass) FROM PUBLIC;

-- Whoever may delete from the ledger may drop bodies.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'webhook_events'::regclass AND a.privilege_type = 'DELETE'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION landline_drop_body_partition(date, regclass) TO %s', held.grantee);
    END LOOP;
END $$;
