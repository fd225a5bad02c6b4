-- What the accounts that are there already have ordered to be deleted. It reads each conversation once and locks only the rows that it
-- changes, in the order in which workers lock them. The clock is that under which the account wrote its `deletion_settings`, so the
-- same event, when it is applied again, changes nothing. An order to keep something writes no value, and is left out.
WITH told AS (
    SELECT id, metadata -> 'deletion_settings' AS settings, (metadata_clocks ->> 'deletion_settings')::uuid AS clock
    FROM conversations
    WHERE jsonb_typeof(metadata #> '{deletion_settings,deletion_time_unix_secs}') = 'number'
      AND (metadata @> '{"deletion_settings": {"delete_transcript_and_pii": true}}'
        OR metadata @> '{"deletion_settings": {"delete_audio": true}}')
), due AS (
    SELECT c.id, told.clock, to_timestamp((told.settings ->> 'deletion_time_unix_secs')::numeric::float8) AS at,
        told.settings @> '{"delete_transcript_and_pii": true}' AS is_transcript, told.settings @> '{"delete_audio": true}' AS is_audio
    FROM told JOIN conversations AS c ON c.id = told.id
    WHERE (told.settings ->> 'deletion_time_unix_secs')::numeric BETWEEN 946684800 AND 253402300799
    ORDER BY c.id COLLATE "C" FOR UPDATE OF c
)
UPDATE conversations AS t SET
    delete_transcript_at = CASE WHEN due.is_transcript THEN due.at END,
    clocks[21] = CASE WHEN due.is_transcript THEN due.clock END,
    delete_audio_at = CASE WHEN due.is_audio THEN due.at END,
    clocks[22] = CASE WHEN due.is_audio THEN due.clock END,
    changed_at = clock_timestamp()
FROM due WHERE t.id = due.id;
