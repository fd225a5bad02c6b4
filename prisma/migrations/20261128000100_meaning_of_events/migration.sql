-- Brings rows of earlier versions to what their events mean now, as far as the rows alone tell it. Writers wait while this
-- runs, in the order in which the worker locks; readers do not. Events that arrive meanwhile wait in Redis.
LOCK TABLE "conversations", "conversation_messages", "user_profiles" IN SHARE ROW EXCLUSIVE MODE;

-- A message's key is `<role>:<id>`. One that is its event's ledger id stays: its clock holds the first nine bytes of it.
UPDATE "conversation_messages" AS m
SET "event_key" = COALESCE(m."role", 'unknown') || ':' || m."event_key"
WHERE m."source" = 'live'
  AND substr(replace(m."clock"::text, '-', ''), 15) <> substr(replace(m."event_key", '-', ''), 1, 18)
  AND NOT EXISTS (
    SELECT FROM "conversation_messages" AS o
    WHERE o."conversation_id" = m."conversation_id"
      AND o."source" = 'live'
      AND o."event_key" = COALESCE(m."role", 'unknown') || ':' || m."event_key"
  );

-- A message without words gives way to any telling of it with words: its clock's authority is that of what is implied.
UPDATE "conversation_messages"
SET "clock" = ('00' || substr(replace("clock"::text, '-', ''), 3))::uuid
WHERE "source" = 'live' AND "content" IS NULL;

-- Channel (the fourth clock): a text-only conversation is a chat, which counts as configured. That a call without
-- `phone_call` came over the web is only implied.
UPDATE "conversations"
SET "channel" = 'chat',
    "clocks"[4] = ('01' || substr(replace("clocks"[4]::text, '-', ''), 3))::uuid
WHERE "channel" = 'web'
  AND "clocks"[4]::text LIKE '03%'
  AND ("metadata" @> '{"text_only": true}'
    OR "metadata" @> '{"conversation_initiation_client_data": {"conversation_config_override": {"conversation": {"text_only": true}}}}');

UPDATE "conversations"
SET "clocks"[4] = ('00' || substr(replace("clocks"[4]::text, '-', ''), 3))::uuid
WHERE "channel" = 'web' AND "clocks"[4]::text LIKE '03%';

-- Direction (the fifth clock) and number (the sixth) of WhatsApp and SMS.
UPDATE "conversations"
SET "direction" = lower("metadata" -> "channel" ->> 'direction'),
    "clocks"[5] = ("metadata_clocks" ->> "channel")::uuid
WHERE "channel" IN ('whatsapp', 'sms')
  AND "direction" IS NULL
  AND jsonb_typeof("metadata" -> "channel" -> 'direction') = 'string'
  AND "metadata_clocks" ? "channel";

UPDATE "conversations"
SET "external_number" = COALESCE("metadata" -> "channel" ->> 'whatsapp_user_id', "metadata" -> "channel" ->> 'sms_user_phone_number'),
    "clocks"[6] = ("metadata_clocks" ->> "channel")::uuid
WHERE "channel" IN ('whatsapp', 'sms')
  AND "external_number" IS NULL
  AND COALESCE("metadata" -> "channel" ->> 'whatsapp_user_id', "metadata" -> "channel" ->> 'sms_user_phone_number') ~ '^[+]?[0-9]{3,}$'
  AND "metadata_clocks" ? "channel";

-- The reason (the fifteenth clock) of a failed call: the error's, else the error where it is a text, else why the call
-- ended, else the error as it is.
UPDATE "conversations"
SET "failure_reason" = CASE
      WHEN COALESCE("metadata" -> 'error' ->> 'reason', '') <> '' THEN "metadata" -> 'error' ->> 'reason'
      WHEN jsonb_typeof("metadata" -> 'error') = 'string' THEN "metadata" ->> 'error'
      WHEN COALESCE("metadata" ->> 'termination_reason', '') <> '' THEN "metadata" ->> 'termination_reason'
      ELSE "metadata" ->> 'error'
    END,
    "clocks"[15] = COALESCE("metadata_clocks" ->> 'error', "metadata_clocks" ->> 'termination_reason')::uuid
WHERE "status" = 'failed'
  AND "failure_reason" IS NULL
  AND ((jsonb_typeof("metadata" -> 'error') IN ('object', 'string', 'number') AND "metadata" -> 'error' NOT IN ('{}', '""'))
    OR COALESCE("metadata" ->> 'termination_reason', '') <> '')
  AND ("metadata_clocks" ? 'error' OR "metadata_clocks" ? 'termination_reason');

-- Secret variables whose keys were written with escapes.
UPDATE "conversations"
SET "metadata" = "metadata" - ARRAY(SELECT key FROM jsonb_object_keys("metadata") AS key WHERE key LIKE 'secret\_\_%'),
    "metadata_clocks" = "metadata_clocks" - ARRAY(SELECT key FROM jsonb_object_keys("metadata_clocks") AS key WHERE key LIKE 'secret\_\_%')
WHERE EXISTS (SELECT FROM jsonb_object_keys("metadata") AS key WHERE key LIKE 'secret\_\_%');

UPDATE "conversations"
SET "metadata" = jsonb_set(
      "metadata",
      '{conversation_initiation_client_data,dynamic_variables}',
      ("metadata" #> '{conversation_initiation_client_data,dynamic_variables}') - ARRAY(
        SELECT key
        FROM jsonb_object_keys("metadata" #> '{conversation_initiation_client_data,dynamic_variables}') AS key
        WHERE key LIKE 'secret\_\_%'
      )
    )
WHERE jsonb_typeof("metadata" #> '{conversation_initiation_client_data,dynamic_variables}') = 'object'
  AND "metadata" ->> 'conversation_initiation_client_data' LIKE '%"secret\_\_%';

-- Withheld numbers, as they are dialled out, are nobody's.
DELETE FROM "user_profiles"
WHERE "user_id" IN ('+266696687', '+86282452253', '+8656696', '+2562533', '+7378742833');

UPDATE "user_profiles"
SET "phone_number" = NULL,
    "clocks"[4] = NULL
WHERE lower("phone_number") ~ '^([^<]*<)?(sips?:)?(anonymous|unknown|restricted|private|unavailable|withheld)(@.*)?$'
  OR "phone_number" IN ('+266696687', '+86282452253', '+8656696', '+2562533', '+7378742833');
