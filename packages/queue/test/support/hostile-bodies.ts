/** Bodies that break what takes a body for anything but a string. */
export const HOSTILE_BODIES: [string, string][] = [
  ['empty', ''],
  ['NUL', 'a\u0000b'],
  ['every control character', Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('')],
  ['quotes and backslashes', '"\\\\"\\u0000\\"'],
  ['line ends', '\r\n\n\r\u2028\u2029'],
  ['a Redis command', '*1\r\n$8\r\nFLUSHALL\r\n'],
  ['Lua', '"]] redis.call("FLUSHALL") --[['],
  ['a byte order mark', '\uFEFF{}'],
  ['four-byte characters', '😀𝄞🇪🇬'],
  ['right to left', '\u202Eمرحبا\u202C'],
  ['__proto__', '{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}'],
  ['a job id of BullMQ', 'meta'],
  ['deep nesting', '['.repeat(100_000)],
  ['numbers past 2^53', '{"n":9007199254740993,"e":1e400}'],
  ['a megabyte', 'é'.repeat(524_288)],
];
