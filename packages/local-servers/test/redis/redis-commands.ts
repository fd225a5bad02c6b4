import { connect } from 'node:net';

/** Sends inline commands to a Redis and answers its replies as they came, one line each. */
export function redisCommands(url: string, ...commands: string[]): Promise<string[]> {
  const { hostname, port, password } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let replies = '';
    socket.on('error', reject);
    socket.on('data', (bytes) => (replies += bytes.toString()));
    socket.on('close', () => resolve(replies.trimEnd().split('\r\n')));
    socket.write(`${[...(password ? [`AUTH ${password}`] : []), ...commands, 'QUIT'].join('\r\n')}\r\n`);
  });
}
