-- Who was forgotten before is never asked for. It reads each conversation once and locks only the few rows that it changes, in the order in which workers
-- lock them. A worker of an older version may forget somebody later, and write no more than `erased_at`: so whoever looks for what is missing asks for that too.
WITH forgotten AS (
    SELECT id FROM conversations WHERE erased_at IS NOT NULL ORDER BY id COLLATE "C" FOR UPDATE
)
UPDATE conversations AS t SET completeness = 'erased', changed_at = clock_timestamp()
FROM forgotten WHERE t.id = forgotten.id AND t.completeness IS DISTINCT FROM 'erased';
