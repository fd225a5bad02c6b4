/** A message of the monitoring socket, parsed. */
export type Message = Readonly<Record<string, unknown>>;

/** The longest id that the worker takes, in characters. */
const MAX_ID_LENGTH = 200;

/** Returns what a message is about: the provider nests it in a field that is named like the type, or lets it stand at the top. */
export function innerOf(message: Message): Message {
  const type = String(message['type']);
  const nested = [`${type}_event`, 'user_transcription_event', type].map((name) => message[name]);
  return nested.find(isMessage) ?? message;
}

/** Returns a text that is not empty; undefined where the field is none. */
export function textIn(message: Message, name: string): string | undefined {
  const value = message[name];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Returns an id, a text or a whole number, as text; undefined where the field is neither, or longer than the worker takes. */
export function idIn(message: Message, name: string): string | undefined {
  const value = message[name];
  const id = Number.isSafeInteger(value) ? String(value) : textIn(message, name);
  return id === undefined || id.length > MAX_ID_LENGTH ? undefined : id;
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
