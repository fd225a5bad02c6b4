-- What is forgotten stays forgotten: the row of an erased conversation is the mark that keeps its events from bringing anything back.
-- AlterTable
ALTER TABLE "conversations" ADD COLUMN "erased_at" TIMESTAMPTZ(3);

-- What was erased for whom, for the proof of it. No person can be read from a row.
-- CreateTable
CREATE TABLE "erasures" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subject_hash" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "done_at" TIMESTAMPTZ(3),
    "counts" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "erasures_pkey" PRIMARY KEY ("id")
);

-- Audio and raw bodies that are to be removed from the storage. A row is written in the transaction that forgets, and goes when the file is gone.
-- CreateTable
CREATE TABLE "recordings_to_remove" (
    "url" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "requests" INTEGER NOT NULL DEFAULT 1,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,

    CONSTRAINT "recordings_to_remove_pkey" PRIMARY KEY ("url")
);

-- Makes the tables of a rebuild, and those that one has kept, forget what the tables themselves have forgotten. They are in schemas
-- `landline_rebuild_…` and `landline_before_…`, which the worker may not use, so the function works with the rights of its owner. It can do no
-- more than that: of the ids that it is given it takes the conversations that are erased here, and rows become what they are here.
-- It looks nothing up by the caller's search path. `ledger` may only be the function owner's own webhook_events; it is an argument because
-- its default follows a schema that is renamed, and because a rebuild leaves that table where it is.
CREATE FUNCTION "landline_forget_in_kept_tables"(ids text[], users text[], ledger regclass DEFAULT 'webhook_events'::regclass)
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place name;
    erased text[];
    kept record;
    part record;
    names text;
    given text;
    changed bigint;
    total bigint := 0;
BEGIN
    SELECT n.nspname INTO place
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = ledger AND c.relname = 'webhook_events' AND c.relkind = 'r' AND r.rolname = current_user;
    IF place IS NULL THEN
        RAISE EXCEPTION 'landline_forget_in_kept_tables and webhook_events have not the same owner' USING ERRCODE = '42501';
    END IF;
    EXECUTE format('SELECT array_agg(c.id ORDER BY c.id) FROM %I.conversations c WHERE c.id = ANY ($1) AND c.erased_at IS NOT NULL', place)
    INTO erased USING ids;
    FOR kept IN
        SELECT n.nspname AS name, n.nspname LIKE 'landline\_rebuild\_%' AS is_new
        FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid JOIN pg_roles r ON r.oid = c.relowner
        WHERE (n.nspname LIKE 'landline\_rebuild\_%' OR n.nspname LIKE 'landline\_before\_%') AND n.nspname <> place
            AND c.relname = 'conversations' AND c.relkind = 'r' AND r.rolname = current_user
        ORDER BY n.nspname
    LOOP
        FOR part IN
            SELECT t.name, t.key, t.ids FROM (VALUES
                ('conversations', '{id}'::text[], ids),
                ('conversation_recordings', '{conversation_id,sha256}', ids),
                ('user_profiles', '{user_id}', users)
            ) AS t (name, key, ids)
            WHERE to_regclass(format('%I.%I', kept.name, t.name)) IS NOT NULL
        LOOP
            -- The columns that both tables have: a version between may have added one.
            SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY k.attnum), string_agg('l.' || quote_ident(k.attname), ', ' ORDER BY k.attnum)
            INTO names, given
            FROM pg_attribute k JOIN pg_attribute l ON l.attname = k.attname
            WHERE k.attrelid = to_regclass(format('%I.%I', kept.name, part.name)) AND l.attrelid = to_regclass(format('%I.%I', place, part.name))
                AND k.attnum > 0 AND l.attnum > 0 AND NOT k.attisdropped AND NOT l.attisdropped;
            IF part.name = 'conversations' AND kept.is_new THEN
                -- The rebuild may come to an event of this conversation later.
                EXECUTE format('INSERT INTO %1$I.conversations (%3$s) SELECT %4$s FROM %2$I.conversations l WHERE l.id = ANY ($1) ORDER BY l.id
                    ON CONFLICT (id) DO NOTHING', kept.name, place, names, given) USING erased;
            END IF;
            IF part.name = 'conversations' THEN
                -- Whoever applies events there holds the row, and is waited for.
                EXECUTE format('SELECT FROM %I.conversations k WHERE k.id = ANY ($1) ORDER BY k.id FOR UPDATE', kept.name) USING erased;
            END IF;
            EXECUTE format('UPDATE %1$I.%3$I AS k SET (%4$s) = ROW (%5$s) FROM %2$I.%3$I AS l
                WHERE (%6$s) = (%7$s) AND k.%8$I = ANY ($1) AND %9$s',
                kept.name, place, part.name, names, given,
                (SELECT string_agg(format('k.%I', name), ', ') FROM unnest(part.key) AS keys (name)),
                (SELECT string_agg(format('l.%I', name), ', ') FROM unnest(part.key) AS keys (name)),
                part.key[1],
                CASE part.name
                    WHEN 'conversations' THEN 'l.erased_at IS NOT NULL AND k.erased_at IS NULL'
                    WHEN 'conversation_recordings' THEN 'l.deleted_at IS NOT NULL AND k.deleted_at IS NULL'
                    ELSE 'k.phone_number IS DISTINCT FROM l.phone_number'
                END) USING part.ids;
            GET DIAGNOSTICS changed = ROW_COUNT;
            total := total + changed;
        END LOOP;
        FOR part IN
            SELECT t.name, t.sql FROM (VALUES
                ('conversation_messages', 'DELETE FROM %1$I.conversation_messages WHERE conversation_id = ANY ($1)'),
                ('agent_tool_calls', 'DELETE FROM %1$I.agent_tool_calls WHERE conversation_id = ANY ($1)'),
                ('user_commands', 'DELETE FROM %1$I.user_commands WHERE conversation_id = ANY ($1)'),
                ('user_profiles', 'DELETE FROM %1$I.user_profiles AS k WHERE k.user_id = ANY ($2)
                    AND NOT EXISTS (SELECT FROM %2$I.user_profiles l WHERE l.user_id = k.user_id)'),
                -- What a rebuild shows of a row that differs: its key, and both values.
                ('landline_differences', 'UPDATE %1$I.landline_differences AS k SET sample = (
                    SELECT COALESCE(jsonb_agg(s.item), ''[]'') FROM jsonb_array_elements(k.sample) AS s (item) WHERE NOT EXISTS (
                        SELECT FROM jsonb_each_text(s.item -> ''key'') AS e WHERE e.value = ANY ($1 || $2)))
                    WHERE EXISTS (
                        SELECT FROM jsonb_array_elements(k.sample) AS s (item), jsonb_each_text(s.item -> ''key'') AS e
                        WHERE e.value = ANY ($1 || $2))'),
                ('webhook_bodies', 'DELETE FROM %1$I.webhook_bodies AS k USING %2$I.webhook_events AS l
                    WHERE l.conversation_id = ANY ($1) AND k.received_at = l.received_at AND k.event_id = l.id'),
                ('webhook_events', 'UPDATE %1$I.webhook_events AS k SET error = NULL, body_reference = NULL
                    WHERE k.conversation_id = ANY ($1) AND (k.error IS NOT NULL OR k.body_reference IS NOT NULL)')
            ) AS t (name, sql)
            WHERE to_regclass(format('%I.%I', kept.name, t.name)) IS NOT NULL
        LOOP
            EXECUTE format(part.sql, kept.name, place) USING erased, users;
            GET DIAGNOSTICS changed = ROW_COUNT;
            total := total + changed;
        END LOOP;
        -- Who a rebuild has noted.
        FOREACH names IN ARRAY ARRAY['landline_touched', 'landline_carried'] LOOP
            IF to_regclass(format('%I.%I', kept.name, names)) IS NOT NULL THEN
                EXECUTE format('DELETE FROM %I.%I WHERE kind = ''profile'' AND key = ANY ($1)', kept.name, names) USING users;
            END IF;
        END LOOP;
    END LOOP;
    RETURN total;
END $$;

REVOKE ALL ON FUNCTION "landline_forget_in_kept_tables"(text[], text[], regclass) FROM PUBLIC;

-- Whoever applies events forgets as well.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'webhook_events'::regclass AND a.privilege_type = 'INSERT'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION landline_forget_in_kept_tables(text[], text[], regclass) TO %s', held.grantee);
    END LOOP;
END $$;
