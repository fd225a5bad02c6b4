-- The languages and dialects of the rows that are there, in a transaction of their own: it locks rows, not the table, in
-- the order in which workers lock them.
-- Words that name no language go. What they overwrote is not in the row.
WITH due AS (
    SELECT id FROM conversations
    WHERE language ~ '^(unknown|unk|und|undetermined|undefined|undetected|unidentified|unspecified|unavailable|not[-_ ]?(specified|set|available|applicable)|auto|automatic|auto[-_ ]?detect(ed|ion)?|detect|none|no[-_ ]?language|null|nil|n/a|empty|blank|multi|multiple|multi[-_ ]?lingual|multi[-_ ]?language|mul|mis|mixed|zxx|others?|any|all|default|c|posix|true|false|[-_?*/. 0-9]*)$'
    ORDER BY id COLLATE "C" FOR UPDATE
)
UPDATE conversations AS t SET language = NULL, dialect = NULL, clocks[9] = NULL, clocks[10] = NULL
FROM due WHERE t.id = due.id;

-- A dialect was told together with the language beside it.
WITH due AS (
    SELECT id FROM conversations
    WHERE language IS NOT NULL AND dialect IS NOT NULL AND NOT dialects ? language
    ORDER BY id COLLATE "C" FOR UPDATE
)
UPDATE conversations AS t SET
    dialects = t.dialects || jsonb_build_object(t.language, t.dialect),
    dialects_clocks = t.dialects_clocks
        || jsonb_build_object(t.language, COALESCE(replace(t.clocks[10]::text, '-', ''), repeat('0', 32)))
FROM due WHERE t.id = due.id;
