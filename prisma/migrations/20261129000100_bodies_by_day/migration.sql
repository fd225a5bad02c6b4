-- Bodies get a table of their own with a partition for each day (UTC), so that old bodies go by dropping a table. The ledger stays narrow.
-- Bodies that are in the ledger already are moved later, in batches: packages/store/src/schema/move-bodies.ts calls `landline_move_bodies`
-- until nothing is left, and the next migration drops the column. Workers of this version and of the one before apply events meanwhile.
-- CreateTable
CREATE TABLE "webhook_bodies" (
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "event_id" UUID NOT NULL,
    "body" BYTEA NOT NULL,

    CONSTRAINT "webhook_bodies_pkey" PRIMARY KEY ("received_at","event_id")
) PARTITION BY RANGE ("received_at");

-- LZ4 compresses a transcript in a fraction of the time that Postgres' own method takes. Not every server is built with it.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE "webhook_bodies" ALTER COLUMN "body" SET COMPRESSION lz4;
    END IF;
END $$;

-- Makes the partitions of these days that are missing, and returns how many it made. The worker calls this and owns no table, so the function
-- works with the rights of its owner. It looks nothing up by the caller's search path. `parent` may only be the function owner's own
-- webhook_bodies; it is an argument because its default follows a schema that is renamed.
-- A partition is made beside its parent and then attached: so no writer waits for that, and none is waited for.
CREATE FUNCTION "landline_make_body_partitions"(first date, last date, parent regclass DEFAULT 'webhook_bodies'::regclass)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $$
DECLARE
    place name;
    part text;
    made integer := 0;
BEGIN
    SELECT n.nspname INTO place
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = parent AND c.relname = 'webhook_bodies' AND c.relkind = 'p' AND r.rolname = current_user;
    IF place IS NULL THEN
        RAISE EXCEPTION 'landline_make_body_partitions and webhook_bodies have not the same owner' USING ERRCODE = '42501';
    END IF;
    IF last - first > 1000 THEN
        RAISE EXCEPTION 'landline_make_body_partitions makes 1,000 partitions at most' USING ERRCODE = '54000';
    END IF;
    FOR day IN 0 .. last - first LOOP
        part := 'webhook_bodies_' || to_char(first + day, 'YYYYMMDD');
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent AND c.relname = part);
        -- One process at a time. Another may have made this partition while we waited.
        PERFORM pg_advisory_xact_lock(hashtextextended('landline_make_body_partitions', parent::oid::bigint));
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent AND c.relname = part);
        EXECUTE format('CREATE TABLE %1$I.%2$I (LIKE %1$I.webhook_bodies INCLUDING ALL)', place, part);
        EXECUTE format('ALTER TABLE %1$I.webhook_bodies ATTACH PARTITION %1$I.%2$I FOR VALUES FROM (%3$L) TO (%4$L)',
            place, part, (first + day)::timestamptz, (first + day + 1)::timestamptz);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

REVOKE ALL ON FUNCTION "landline_make_body_partitions"(date, date, regclass) FROM PUBLIC;

-- Whoever may write to the ledger may write bodies, and whoever may read it may read them.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT a.privilege_type AS privilege, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'webhook_events'::regclass AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON webhook_bodies TO %s', held.privilege, held.grantee);
        IF held.privilege = 'INSERT' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION landline_make_body_partitions(date, date, regclass) TO %s', held.grantee);
        END IF;
    END LOOP;
END $$;

SELECT landline_make_body_partitions((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 7);

-- A constant default rewrites no row. 0 stands until a row's body is moved.
-- AlterTable
ALTER TABLE "webhook_events" ALTER COLUMN "body" DROP NOT NULL;
ALTER TABLE "webhook_events" ADD COLUMN "body_bytes" INTEGER NOT NULL DEFAULT 0;

-- What follows goes with the next migration.
-- How far the move is: it reads the pages of the ledger in their order, each once. Whoever has this row moves a batch.
CREATE TABLE "webhook_bodies_move" ("next_page" BIGINT NOT NULL, "end_page" BIGINT NOT NULL, "is_done" BOOLEAN NOT NULL);
INSERT INTO "webhook_bodies_move"
SELECT 0, pages, pages = 0 FROM (SELECT pg_relation_size('webhook_events') / current_setting('block_size')::bigint) AS size (pages);

-- Moves one batch: at most so many rows, and about so many bytes as they are stored. Returns `moved`; `done` when no row holds a body any
-- more; `waits` where all rows that are left here are locked by workers. It waits for no row, so it meets no worker in a ring.
CREATE FUNCTION "landline_move_bodies"(most_rows integer, most_bytes bigint) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    pages_at_once CONSTANT bigint := 64;
    progress webhook_bodies_move%ROWTYPE;
    low tid;
    high tid;
    moved bigint;
BEGIN
    SELECT * INTO STRICT progress FROM webhook_bodies_move FOR UPDATE;
    IF progress.is_done THEN RETURN 'done'; END IF;
    IF progress.next_page >= progress.end_page THEN
        -- No row gets a body after it was read here, unless somebody rewrote the table meanwhile (VACUUM FULL). Then it is read again.
        IF EXISTS (SELECT FROM webhook_events WHERE body IS NOT NULL) THEN
            UPDATE webhook_bodies_move
            SET next_page = 0, end_page = pg_relation_size('webhook_events') / current_setting('block_size')::bigint;
            RETURN 'moved';
        END IF;
        UPDATE webhook_bodies_move SET is_done = true;
        RETURN 'done';
    END IF;
    low := format('(%s,0)', progress.next_page)::tid;
    high := format('(%s,0)', progress.next_page + pages_at_once)::tid;
    PERFORM landline_make_body_partitions(due.day, due.day)
    FROM (SELECT DISTINCT (e.received_at AT TIME ZONE 'UTC')::date AS day FROM webhook_events e
          WHERE e.ctid >= low AND e.ctid < high AND e.body IS NOT NULL) AS due;
    WITH due AS (
        SELECT e.ctid AS at, e.id, e.received_at, e.body FROM webhook_events e
        WHERE e.ctid >= low AND e.ctid < high AND e.body IS NOT NULL
        ORDER BY e.ctid LIMIT most_rows FOR UPDATE SKIP LOCKED
    ), sized AS (
        SELECT d.*, sum(pg_column_size(d.body)) OVER (ORDER BY d.at) - pg_column_size(d.body) AS bytes_before FROM due d
    ), chosen AS (
        SELECT * FROM sized WHERE bytes_before < most_bytes
    ), kept AS (
        INSERT INTO webhook_bodies (received_at, event_id, body) SELECT c.received_at, c.id, c.body FROM chosen c
        ON CONFLICT (received_at, event_id) DO NOTHING
    ), cleared AS (
        UPDATE webhook_events e SET body = NULL, body_bytes = octet_length(c.body)
        FROM chosen c WHERE e.ctid >= low AND e.ctid < high AND e.id = c.id
        RETURNING e.id
    )
    SELECT count(*) INTO moved FROM cleared;
    IF NOT EXISTS (SELECT FROM webhook_events e WHERE e.ctid >= low AND e.ctid < high AND e.body IS NOT NULL) THEN
        UPDATE webhook_bodies_move SET next_page = next_page + pages_at_once;
    ELSIF moved = 0 THEN
        RETURN 'waits';
    END IF;
    RETURN 'moved';
END $$;

-- A worker of the version before writes bodies to the ledger. They are moved at once, so that the move above need not look again. A canary
-- is gone before its transaction ends, and its body is not kept.
CREATE FUNCTION "landline_move_inserted_bodies"() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM inserted i WHERE i.body IS NOT NULL) THEN RETURN NULL; END IF;
    PERFORM landline_make_body_partitions(due.day, due.day)
    FROM (SELECT DISTINCT (i.received_at AT TIME ZONE 'UTC')::date AS day FROM inserted i WHERE i.body IS NOT NULL) AS due;
    INSERT INTO webhook_bodies (received_at, event_id, body)
    SELECT i.received_at, i.id, i.body FROM inserted i
    WHERE i.body IS NOT NULL AND i.type IS DISTINCT FROM 'landline.canary'
    ON CONFLICT (received_at, event_id) DO NOTHING;
    UPDATE webhook_events e SET body = NULL, body_bytes = octet_length(i.body)
    FROM inserted i WHERE e.id = i.id AND i.body IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER "webhook_events_move_inserted" AFTER INSERT ON "webhook_events"
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION "landline_move_inserted_bodies"();

-- A row that is updated goes to another page, where the move may have been already. So its body is moved now.
CREATE FUNCTION "landline_move_updated_body"() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    day CONSTANT date := (NEW.received_at AT TIME ZONE 'UTC')::date;
BEGIN
    PERFORM landline_make_body_partitions(day, day);
    INSERT INTO webhook_bodies (received_at, event_id, body) VALUES (NEW.received_at, NEW.id, NEW.body)
    ON CONFLICT (received_at, event_id) DO NOTHING;
    NEW.body_bytes := octet_length(NEW.body);
    NEW.body := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER "webhook_events_move_updated" BEFORE UPDATE ON "webhook_events"
FOR EACH ROW WHEN (NEW.body IS NOT NULL) EXECUTE FUNCTION "landline_move_updated_body"();
