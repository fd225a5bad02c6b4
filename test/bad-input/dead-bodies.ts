import { EVENT_TYPES } from '@landline/webhook';

/** A verified body that the worker cannot apply. */
export interface DeadRow {
  name: string;
  body: Buffer;
  /** The error's code in the ledger and in the dead-letter queue. */
  code: string;
  /** The columns that the ledger has of the event all the same. */
  type?: string;
  conversationId?: string;
}

const MESSAGE = 'conversation.message';

function dead(name: string, code: string, body: string | Buffer, known: Partial<DeadRow> = {}): DeadRow {
  return { name, code, body: Buffer.from(body), ...known };
}

function message(name: string, code: string, event: object, known: Partial<DeadRow> = {}): DeadRow {
  return dead(name, code, JSON.stringify({ type: MESSAGE, ...event }), { type: MESSAGE, ...known });
}

function transcript(name: string, value: unknown): DeadRow {
  const [type, conversationId] = ['post_call_transcription', `conv_dead_${name}`];
  const event = { type, data: { conversation_id: conversationId, transcript: value } };
  return dead(`a transcript that is ${name}`, 'transcript_not_array', JSON.stringify(event), { type, conversationId });
}

const DATA = `"data": {"conversation_id": "conv_dead"`;
const START = `{"type": "${MESSAGE}", ${DATA}, "text": "`;

/** Every way in which the worker cannot apply a verified body. */
export const DEAD_BODIES: readonly DeadRow[] = [
  dead('nothing', 'body_empty', ''),
  dead('white space', 'body_not_json', ' \r\n\t '),
  dead('a byte order mark alone', 'body_not_json', '\ufeff'),
  dead('two byte order marks', 'body_not_json', `\ufeff\ufeff${START}"}}`),
  dead('words', 'body_not_json', 'Hello, I am no JSON.'),
  dead('XML', 'body_not_json', '<?xml version="1.0"?><event type="conversation.started"/>'),
  dead('a form', 'body_not_json', 'type=conversation.started&conversation_id=conv_dead'),
  dead('JSON that breaks off', 'body_not_json', `${START}Hel`),
  dead('a comma too many', 'body_not_json', `${START}"},}`),
  dead('two objects', 'body_not_json', `${START}"}} ${START}"}}`),
  dead('single quotes', 'body_not_json', "{'type': 'conversation.started'}"),
  dead('NaN', 'body_not_json', `{"type": "${MESSAGE}", "n": NaN}`),
  dead('Infinity', 'body_not_json', `{"type": "${MESSAGE}", "n": -Infinity}`),
  dead('a number with a leading zero', 'body_not_json', `{"type": "${MESSAGE}", "n": 012}`),
  dead('a huge number for a key', 'body_not_json', `{"type": "${MESSAGE}", 123456789012345678901234567890: 1}`),
  dead('a line break in a string', 'body_not_json', `${START}a\nb"}}`),
  dead('a zero byte in a string', 'body_not_json', `${START}a\0b"}}`),
  dead('zero bytes', 'body_not_json', Buffer.alloc(100)),
  dead('a surrogate written badly', 'body_not_json', `${START}\\ud8zz"}}`),
  dead('invalid UTF-8', 'body_not_utf8', Buffer.concat([Buffer.from(START), Buffer.from([0xc3, 0x28, 0xff])])),
  dead('Latin-1', 'body_not_utf8', Buffer.from(`${START}caf\u00e9"}}`, 'latin1')),
  dead('UTF-16', 'body_not_utf8', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`${START}"}}`, 'utf16le')])),
  dead('a surrogate in UTF-8', 'body_not_utf8', Buffer.concat([Buffer.from(START), Buffer.from([0xed, 0xa0, 0x80])])),
  dead('gzip', 'body_not_utf8', Buffer.from('1f8b08000000000000ff', 'hex')),
  dead('an array of two events', 'body_has_several', `[${START}"}}, ${START}"}}]`),
  dead('an empty array', 'body_not_object', '[]'),
  dead('an array of a word', 'body_not_object', '["conversation.started"]'),
  dead('wrappers ten deep', 'body_not_object', `${'{"body":'.repeat(10)}{}${'}'.repeat(10)}`),
  dead('a number', 'body_not_object', '42'),
  dead('a huge number', 'body_not_object', '9'.repeat(400)),
  dead('a string', 'body_not_object', '"conversation.started"'),
  dead('true', 'body_not_object', 'true'),
  dead('null', 'body_not_object', 'null'),
  dead('arrays 300 deep', 'json_too_deep', `${START}", "x": ${'['.repeat(300)}${']'.repeat(300)}}}`),
  dead('objects 10,000 deep', 'json_too_deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  dead('a megabyte of [', 'json_too_deep', '['.repeat(1_000_000)),
  dead('no type', 'type_missing', '{}'),
  dead('an empty type', 'type_missing', '{"type": ""}'),
  dead('a type that is null', 'type_missing', `{"type": null, ${DATA}}}`, { conversationId: 'conv_dead' }),
  dead('a type that is an object', 'type_missing', '{"type": {"name": "conversation.started"}}'),
  dead('a type that is an array', 'type_missing', '{"type": ["conversation.started"]}'),
  dead('an over-long type', 'type_missing', JSON.stringify({ type: 'x'.repeat(257) })),
  dead('a type inside of data only', 'type_missing', `{${DATA}, "type": "${MESSAGE}"}}`, {
    conversationId: 'conv_dead',
  }),
  ...Object.keys(EVENT_TYPES).flatMap((type) => [
    dead(`a ${type} event without ids`, 'conversation_id_missing', JSON.stringify({ type, data: {} }), { type }),
  ]),
  message('no data at all', 'conversation_id_missing', {}),
  message('a conversation id that is null', 'conversation_id_missing', { data: { conversation_id: null } }),
  message('an empty conversation id', 'conversation_id_missing', { data: { conversation_id: '' } }),
  message('a conversation id that is an object', 'conversation_id_missing', { data: { conversation_id: { id: 'a' } } }),
  message('a conversation id that is an array', 'conversation_id_missing', { data: { conversation_id: ['conv_1'] } }),
  message('an over-long conversation id', 'conversation_id_missing', { data: { conversation_id: 'x'.repeat(257) } }),
  message('data that is a string', 'data_not_object', { data: '{"conversation_id": "conv_dead"}' }),
  message('data that is an array', 'data_not_object', { data: [{ conversation_id: 'conv_dead' }] }),
  message('data that is a number', 'data_not_object', { data: 0 }),
  message(
    'data that is false',
    'data_not_object',
    { conversation_id: 'conv_top', data: false },
    { conversationId: 'conv_top' },
  ),
  transcript('a string', 'Agent: hello'),
  transcript('an object', { 0: { role: 'agent' } }),
  transcript('a number', 3),
];
