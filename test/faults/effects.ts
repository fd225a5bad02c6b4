import { POISONOUS } from './deck.ts';
import type { PostgresServer } from './postgres-server.ts';

/**
 * Lets Postgres count effects in a table without a unique key: one would hide a double effect. A row for each event that is
 * applied or ignored, and for each message of a call that is written anew.
 *
 * @param disk  Where the table is to lie, so that its disk can be made full; undefined: with the others.
 */
export async function countEffects(postgres: PostgresServer, disk: string | undefined): Promise<void> {
  if (disk !== undefined) await postgres.sql(`CREATE TABLESPACE small_disk LOCATION '${disk}'`);
  const place = disk === undefined ? '' : 'TABLESPACE small_disk';
  await postgres.sql(`CREATE TABLE effects (id uuid NOT NULL, effect text, at timestamptz) ${place}`);
  await postgres.sql(`CREATE TABLE message_effects (conversation_id text NOT NULL, event_key text NOT NULL) ${place}`);
  await postgres.sql(`CREATE FUNCTION note_effect() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO effects VALUES (NEW.id, TG_OP || ' ' || NEW.outcome, clock_timestamp()); RETURN NULL; END $$`);
  await postgres.sql(`CREATE TRIGGER note_insert AFTER INSERT ON webhook_events
    FOR EACH ROW WHEN (NEW.outcome <> 'dead') EXECUTE FUNCTION note_effect()`);
  await postgres.sql(`CREATE TRIGGER note_update AFTER UPDATE OF outcome ON webhook_events
    FOR EACH ROW WHEN (NEW.outcome <> 'dead') EXECUTE FUNCTION note_effect()`);
  await postgres.sql(`CREATE FUNCTION note_message() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO message_effects VALUES (NEW.conversation_id, NEW.source || NEW.event_key); RETURN NULL; END $$`);
  await postgres.sql(`CREATE TRIGGER note_message AFTER INSERT ON conversation_messages
    FOR EACH ROW EXECUTE FUNCTION note_message()`);
  await postgres.sql(`ALTER TABLE conversation_messages ADD CONSTRAINT no_poison CHECK (content <> '${POISONOUS}')`);
}
