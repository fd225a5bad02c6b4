-- What a rebuild may do as the owner of the tables: packages/store/src/rebuild calls these functions. The worker owns no table and may make no
-- schema, so both functions work with the rights of their owner, and look nothing up by the caller's search path.

-- Notes for a rebuild that runs what changes meanwhile, in the transaction that changes it. It is the trigger of a few tables, and is there only while a
-- rebuild runs. Arguments: the schema of the rebuild; `event`, `conversation` or `profile`; the column that has the key.
-- Without its table it notes nothing: somebody has dropped the schema by hand, and events must go on.
CREATE FUNCTION "landline_rebuild_note"() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_ARGV[1] = 'event' THEN
        IF to_regclass(format('%I.landline_pending', TG_ARGV[0])) IS NULL THEN RETURN NULL; END IF;
        EXECUTE format('INSERT INTO %I.landline_pending (event_id) SELECT %I FROM changed', TG_ARGV[0], TG_ARGV[2]);
    ELSE
        IF to_regclass(format('%I.landline_touched', TG_ARGV[0])) IS NULL THEN RETURN NULL; END IF;
        EXECUTE format('INSERT INTO %I.landline_touched (kind, key, is_deleted) SELECT DISTINCT %L, %I, %L::boolean FROM changed',
            TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('conversations', 'user_profiles'));
    END IF;
    RETURN NULL;
END $$;

-- One step of a rebuild. `ledger` may only be the function owner's own webhook_events; it is an argument because its default follows a schema that is
-- renamed, and it names the place of the tables. No other schemas are touched than those that this function has made for that ledger.
--
-- | step | target | does |
-- | --- | --- | --- |
-- | begin | the id of an operation | makes the schema landline_rebuild_<id> with empty tables, and has changes noted; returns its name |
-- | index | a schema of begin | makes the next index that its tables lack; returns its name, null when there is none |
-- | analyze | a schema of begin | has Postgres learn what is in its tables |
-- | swap | a schema of begin | moves the tables to landline_before_<time>, and its own in their place; returns that name |
-- | drop | a schema of begin or of swap | drops it with its tables; what somebody else has made on them makes it fail |
-- | unfollow | an empty text | has no changes noted any more for schemas that are gone |
CREATE FUNCTION "landline_rebuild"(step text, target text, ledger regclass DEFAULT 'webhook_events'::regclass) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    tables CONSTANT text[] := ARRAY['conversations', 'conversation_messages', 'agent_tool_calls', 'user_commands', 'user_profiles',
        'conversation_recordings'];
    notes CONSTANT text[] := ARRAY['landline_rebuild', 'landline_pending', 'landline_touched', 'landline_carried', 'landline_skipped',
        'landline_differences'];
    place name;
    place_oid oid;
    made text;
    part text;
    is_ours boolean;
    old regclass;
    new regclass;
    item record;
BEGIN
    SELECT n.nspname, n.oid INTO place, place_oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.oid = ledger AND c.relname = 'webhook_events' AND c.relkind = 'r' AND r.rolname = current_user;
    IF place IS NULL THEN
        RAISE EXCEPTION 'landline_rebuild and webhook_events have not the same owner' USING ERRCODE = '42501';
    END IF;

    IF step NOT IN ('begin', 'unfollow') THEN
        IF to_regclass(format('%I.landline_rebuild', target)) IS NULL OR target !~ '^landline_(rebuild|before)_[0-9a-f_]+$' THEN
            RAISE EXCEPTION 'There is no rebuild in the schema %', target USING ERRCODE = '3F000';
        END IF;
        -- The owner first: what is read of somebody else's could run somebody else's code.
        is_ours := EXISTS (
            SELECT FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
            WHERE c.oid = to_regclass(format('%I.landline_rebuild', target)) AND c.relkind = 'r' AND r.rolname = current_user);
        IF is_ours THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %I.landline_rebuild r WHERE r.ledger = $1)', target) INTO is_ours USING ledger;
        END IF;
        IF NOT is_ours OR (step <> 'drop' AND target !~ '^landline_rebuild_') THEN
            RAISE EXCEPTION 'The schema % is of no rebuild of these tables', target USING ERRCODE = '42501';
        END IF;
    END IF;

    IF step = 'begin' THEN
        made := 'landline_rebuild_' || replace((target::uuid)::text, '-', '');
        -- All who write to the ledger have ended when this lock is there, so what they wrote can be read, and what comes later is noted.
        EXECUTE format('LOCK TABLE %1$I.webhook_events, ONLY %1$I.webhook_bodies, %1$I.conversations, %1$I.user_profiles, %1$I.conversation_recordings
            IN SHARE ROW EXCLUSIVE MODE', place);
        EXECUTE format('CREATE SCHEMA %I', made);
        FOREACH part IN ARRAY tables LOOP
            EXECUTE format('CREATE TABLE %1$I.%3$I (LIKE %2$I.%3$I INCLUDING ALL EXCLUDING INDEXES)', made, place, part);
            SELECT c.reloptions INTO item FROM pg_class c WHERE c.oid = to_regclass(format('%I.%I', place, part));
            IF item.reloptions IS NOT NULL THEN
                EXECUTE format('ALTER TABLE %I.%I SET (%s)', made, part, array_to_string(item.reloptions, ', '));
            END IF;
            FOR item IN
                SELECT k.conname, pg_get_constraintdef(k.oid) AS definition FROM pg_constraint k
                WHERE k.conrelid = to_regclass(format('%I.%I', place, part)) AND k.contype IN ('p', 'u', 'x')
            LOOP
                EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', made, part, item.conname, item.definition);
            END LOOP;
        END LOOP;
        EXECUTE format('CREATE TABLE %I.landline_rebuild (operation uuid NOT NULL, ledger regclass NOT NULL, code text NOT NULL DEFAULT '''',
            state jsonb NOT NULL DEFAULT ''{}'', made_at timestamptz(3) NOT NULL DEFAULT clock_timestamp())', made);
        EXECUTE format('INSERT INTO %I.landline_rebuild (operation, ledger) VALUES ($1, $2)', made) USING target::uuid, ledger;
        EXECUTE format('CREATE TABLE %I.landline_pending (event_id uuid NOT NULL)', made);
        EXECUTE format('CREATE TABLE %I.landline_touched (kind text NOT NULL, key text NOT NULL, is_deleted boolean NOT NULL)', made);
        EXECUTE format('CREATE TABLE %I.landline_carried (kind text, key text, is_copied boolean NOT NULL DEFAULT false, PRIMARY KEY (kind, key))',
            made);
        EXECUTE format('CREATE INDEX landline_carried_uncopied ON %I.landline_carried (kind, key) WHERE NOT is_copied', made);
        EXECUTE format('CREATE TABLE %I.landline_skipped (table_name text, key text, PRIMARY KEY (table_name, key))', made);
        EXECUTE format('CREATE TABLE %I.landline_differences (table_name text, column_name text, rows bigint NOT NULL,
            sample jsonb NOT NULL DEFAULT ''[]'', PRIMARY KEY (table_name, column_name))', made);
        -- Who may use the tables may use the new ones in the same way; and the notes as the ledger.
        FOR item IN
            SELECT p.relname AS from_table, unnest(CASE p.relname WHEN 'webhook_events' THEN notes ELSE ARRAY[p.relname::text] END) AS to_table,
                a.privilege_type AS privilege, ''::text AS of_columns, a.grantee, a.is_grantable
            FROM pg_class p, aclexplode(p.relacl) a
            WHERE p.relnamespace = place_oid AND p.relname = ANY (tables || 'webhook_events'::text) AND a.grantee <> p.relowner
            UNION ALL
            SELECT p.relname, p.relname, a.privilege_type, format('(%I)', t.attname), a.grantee, a.is_grantable
            FROM pg_class p JOIN pg_attribute t ON t.attrelid = p.oid, aclexplode(t.attacl) a
            WHERE p.relnamespace = place_oid AND p.relname = ANY (tables) AND NOT t.attisdropped AND a.grantee <> p.relowner
        LOOP
            EXECUTE format('GRANT %s %s ON %I.%I TO %s %s', item.privilege, item.of_columns, made, item.to_table,
                CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE item.grantee::regrole::text END,
                CASE WHEN item.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END);
        END LOOP;
        FOR item IN SELECT a.grantee FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.oid = place_oid AND a.privilege_type = 'USAGE' LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', made,
                CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE item.grantee::regrole::text END);
        END LOOP;
        FOR item IN
            SELECT * FROM (VALUES
                ('INSERT', 'NEW', 'webhook_events', 'event', 'id'), ('UPDATE', 'NEW', 'webhook_events', 'event', 'id'),
                ('DELETE', 'OLD', 'webhook_bodies', 'event', 'event_id'),
                ('INSERT', 'NEW', 'conversations', 'conversation', 'id'), ('UPDATE', 'NEW', 'conversations', 'conversation', 'id'),
                ('DELETE', 'OLD', 'conversations', 'conversation', 'id'),
                ('INSERT', 'NEW', 'user_profiles', 'profile', 'user_id'), ('UPDATE', 'NEW', 'user_profiles', 'profile', 'user_id'),
                ('DELETE', 'OLD', 'user_profiles', 'profile', 'user_id'),
                ('INSERT', 'NEW', 'conversation_recordings', 'conversation', 'conversation_id'),
                ('UPDATE', 'NEW', 'conversation_recordings', 'conversation', 'conversation_id'),
                ('DELETE', 'OLD', 'conversation_recordings', 'conversation', 'conversation_id')
            ) AS noted (change, side, of_table, kind, key)
        LOOP
            EXECUTE format('CREATE TRIGGER %1$I AFTER %2$s ON %3$I.%4$I REFERENCING %5$s TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION %3$I.landline_rebuild_note(%6$L, %7$L, %8$L)',
                'landline_rebuild_' || lower(item.change), item.change, place, item.of_table, item.side, made, item.kind, item.key);
        END LOOP;
        RETURN made;
    END IF;

    IF step = 'index' THEN
        SELECT t.relname AS of_table, i.relname AS index_name, pg_get_indexdef(x.indexrelid) AS definition INTO item
        FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        WHERE t.relnamespace = place_oid AND t.relname = ANY (tables) AND x.indisvalid
          AND to_regclass(format('%I.%I', target, i.relname)) IS NULL
        ORDER BY t.relname, i.relname LIMIT 1;
        IF NOT FOUND THEN RETURN NULL; END IF;
        part := format(' ON %I.%I USING ', place, item.of_table);
        IF position(part IN item.definition) = 0 THEN
            RAISE EXCEPTION 'The index % cannot be made again', item.index_name USING ERRCODE = '0A000';
        END IF;
        EXECUTE overlay(item.definition PLACING format(' ON %I.%I USING ', target, item.of_table)
            FROM position(part IN item.definition) FOR length(part));
        RETURN item.index_name;
    END IF;

    IF step = 'analyze' THEN
        FOREACH part IN ARRAY tables LOOP
            EXECUTE format('ANALYZE %I.%I', target, part);
        END LOOP;
        RETURN NULL;
    END IF;

    IF step = 'swap' THEN
        made := 'landline_before_' || to_char(clock_timestamp(), 'YYYYMMDD_HH24MISS');
        EXECUTE format('CREATE SCHEMA %I', made);
        FOR item IN SELECT a.grantee FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.oid = place_oid AND a.privilege_type = 'USAGE' LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', made,
                CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE item.grantee::regrole::text END);
        END LOOP;
        EXECUTE format('LOCK TABLE %1$I.conversations, %1$I.conversation_messages, %1$I.agent_tool_calls, %1$I.user_commands, %1$I.user_profiles,
            %1$I.conversation_recordings IN ACCESS EXCLUSIVE MODE', place);
        FOREACH part IN ARRAY tables LOOP
            -- A migration or an operator may have changed the tables since this rebuild made its own.
            old := to_regclass(format('%I.%I', place, part));
            new := to_regclass(format('%I.%I', target, part));
            IF (SELECT array_agg(format('%I %s %s', attname, format_type(atttypid, atttypmod), attnotnull) ORDER BY attname)
                FROM pg_attribute WHERE attrelid = old AND attnum > 0 AND NOT attisdropped)
                IS DISTINCT FROM
               (SELECT array_agg(format('%I %s %s', attname, format_type(atttypid, atttypmod), attnotnull) ORDER BY attname)
                FROM pg_attribute WHERE attrelid = new AND attnum > 0 AND NOT attisdropped)
              OR (SELECT array_agg(i.relname ORDER BY i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = old AND x.indisvalid)
                IS DISTINCT FROM
                 (SELECT array_agg(i.relname ORDER BY i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = new AND x.indisvalid)
              OR (SELECT array_agg(format('%s %s %s', a.grantee, a.privilege_type, a.is_grantable) ORDER BY a.grantee, a.privilege_type)
                  FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = old AND a.grantee <> c.relowner)
                IS DISTINCT FROM
                 (SELECT array_agg(format('%s %s %s', a.grantee, a.privilege_type, a.is_grantable) ORDER BY a.grantee, a.privilege_type)
                  FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = new AND a.grantee <> c.relowner)
            THEN
                RAISE EXCEPTION 'The columns, indexes or rights of % have changed since the rebuild began', part USING ERRCODE = '55000';
            END IF;
            FOR item IN
                SELECT g.tgname FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
                WHERE g.tgrelid = to_regclass(format('%I.%I', place, part)) AND p.proname = 'landline_rebuild_note'
            LOOP
                EXECUTE format('DROP TRIGGER %I ON %I.%I', item.tgname, place, part);
            END LOOP;
            EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', place, part, made);
            EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', target, part, place);
        END LOOP;
        -- What was found stays beside the old tables. Nobody writes to the ledger meanwhile, so nobody misses where changes are noted.
        EXECUTE format('ALTER TABLE %I.landline_differences SET SCHEMA %I', target, made);
        EXECUTE format('ALTER TABLE %I.landline_rebuild SET SCHEMA %I', target, made);
        FOREACH part IN ARRAY notes LOOP
            EXECUTE format('DROP TABLE IF EXISTS %I.%I', target, part);
        END LOOP;
        EXECUTE format('DROP SCHEMA %I', target);
        RETURN made;
    END IF;

    IF step = 'unfollow' OR (step = 'drop' AND target ~ '^landline_rebuild_') THEN
        -- The ledger first, as all who write to it take their locks.
        FOR item IN
            SELECT g.tgname, t.relname
            FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid,
                convert_from(substring(g.tgargs FROM 1 FOR greatest(position('\x00'::bytea IN g.tgargs) - 1, 0)), 'UTF8') AS noted_in
            WHERE t.relnamespace = place_oid AND p.proname = 'landline_rebuild_note' AND p.pronamespace = place_oid
              AND (noted_in = target OR to_regclass(format('%I.landline_pending', noted_in)) IS NULL)
            ORDER BY t.relname <> 'webhook_events', t.relname, g.tgname
        LOOP
            EXECUTE format('DROP TRIGGER %I ON %I.%I', item.tgname, place, item.relname);
        END LOOP;
        IF step = 'unfollow' THEN RETURN NULL; END IF;
    END IF;

    IF step = 'drop' THEN
        FOREACH part IN ARRAY tables || notes LOOP
            EXECUTE format('DROP TABLE IF EXISTS %I.%I', target, part);
        END LOOP;
        EXECUTE format('DROP SCHEMA %I', target);
        RETURN target;
    END IF;

    RAISE EXCEPTION 'A rebuild has no step %', step USING ERRCODE = '22023';
END $$;

REVOKE ALL ON FUNCTION "landline_rebuild_note"() FROM PUBLIC;
REVOKE ALL ON FUNCTION "landline_rebuild"(text, text, regclass) FROM PUBLIC;

-- Whoever may write to the ledger may rebuild what follows from it.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'webhook_events'::regclass AND a.privilege_type = 'INSERT'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION landline_rebuild(text, text, regclass) TO %s', held.grantee);
    END LOOP;
END $$;
