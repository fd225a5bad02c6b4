import { connect } from 'node:net';

const ANSWER_LIMIT_MS = 5_000;

/**
 * Sends inline commands to a Redis: AUTH where the URL has a password, then the commands, then QUIT.
 *
 * @param url       `redis://:<password>@<host>:<port>`.
 * @param commands  Commands such as `CONFIG GET maxmemory`. Their words must need no quotes.
 * @param limitMs   How long Redis may send nothing, in milliseconds.
 * @returns         The lines of all answers in Redis' protocol (RESP 2), such as `+OK`, `$4`, `-NOAUTH …`.
 * @throws          When Redis cannot be reached, or sends nothing for `limitMs`.
 */
export function askRedis(url: string, commands: readonly string[], limitMs = ANSWER_LIMIT_MS): Promise<string[]> {
  const { hostname, port, password } = new URL(url);
  const lines = [...(password ? [`AUTH ${password}`] : []), ...commands, 'QUIT'];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answers = '';
    socket.setTimeout(limitMs, () => socket.destroy(new Error(`Redis says nothing for ${limitMs} ms.`)));
    socket.setEncoding('utf8').on('data', (text: string) => (answers += text));
    socket.on('error', reject);
    socket.on('close', () => resolve(answers.trimEnd().split('\r\n')));
    socket.write(`${lines.join('\r\n')}\r\n`);
  });
}
