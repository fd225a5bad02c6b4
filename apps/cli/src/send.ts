import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { readSecret } from '@landline/process';
import { sign, SIGNATURE_HEADER, webhookVariables } from '@landline/webhook';
import { CliError } from './errors.ts';
import { EXAMPLE_NAMES, exampleBody } from './example-events.ts';
import type { Environment } from './start/env-file.ts';

/** The number of requests under way at once. */
const CONCURRENCY = 64;
/** How long one answer may take, in milliseconds. A receiver under load may be slow; a shorter time would count late answers as faults. */
const ANSWER_LIMIT_MS = 30_000;
const MAX_COUNT = 10_000_000;

const USAGE = `send takes one event type or a file with a body: npm run landline -- send <type or file> [--count n] [--url u]
Types: ${EXAMPLE_NAMES.join(', ')}
live makes calls of ten live events each. A file is sent as it is, byte for byte.`;

/**
 * `landline send …`: signs and sends events, and prints a summary of the answers.
 *
 * @param args   `<type or file> [--count n] [--url u]`.
 * @param env    ELEVENLABS_WEBHOOK_SECRET or ELEVENLABS_WEBHOOK_SECRET_FILE, and PORT. The first secret signs.
 * @param print  Prints a line.
 * @returns      The exit code: 0 when every event was answered 200, else 1.
 * @throws       {CliError} `arguments_invalid` or `configuration_invalid`.
 */
export async function send(args: readonly string[], env: Environment, print = printLine): Promise<number> {
  const { what, count, url } = readArguments(args, env);
  const secret = signingSecret(env);
  const bodyOf = await bodies(what);
  const tally = new Map<string, number>();
  const startedAt = performance.now();
  let next = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  async function sendInTurn(): Promise<void> {
    while (next < count) {
      const body = bodyOf(next++);
      const result = await post(url, { body, signature: sign(body, secret, Date.now() / 1000), agent });
      tally.set(result, (tally.get(result) ?? 0) + 1);
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, sendInTurn));
  agent.destroy();
  const accepted = tally.get('200') ?? 0;
  const secondsTaken = (performance.now() - startedAt) / 1000;
  print(
    `${accepted} of ${count} accepted by ${url} in ${secondsTaken.toFixed(2)} s (${Math.round(accepted / secondsTaken)}/s)`,
  );
  for (const [result, times] of tally) if (result !== '200') print(`${times} × ${result}`);
  return accepted === count ? 0 : 1;
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function readArguments(args: readonly string[], env: Environment): { what: string; count: number; url: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { count: { type: 'string', default: '1' }, url: { type: 'string' } },
  });
  const [what, ...rest] = positionals;
  if (what === undefined || rest.length > 0) throw new CliError('arguments_invalid', USAGE);
  const count = /^\d{1,8}$/.test(values.count) ? Number(values.count) : 0;
  if (count < 1 || count > MAX_COUNT) {
    throw new CliError('arguments_invalid', `--count takes a whole number from 1 to ${MAX_COUNT}.`);
  }
  const url = values.url ?? `http://127.0.0.1:${env['PORT'] || 3000}/api/elevenlabs/webhook`;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new CliError('arguments_invalid', '--url takes the whole address, http://host:port/api/elevenlabs/webhook.');
  }
  return { what, count, url };
}

function signingSecret(env: Environment): string {
  const parsed = webhookVariables.ELEVENLABS_WEBHOOK_SECRET.safeParse(readSecret('ELEVENLABS_WEBHOOK_SECRET', env));
  const secret = parsed.data?.secrets[0];
  if (secret === undefined) {
    const reason = parsed.error?.issues[0]?.message ?? 'ELEVENLABS_WEBHOOK_SECRET is not set';
    throw new CliError('configuration_invalid', `${reason}. npm start makes a .env that has one.`);
  }
  return secret;
}

/** Answers a function that makes the n-th body: an example with ids and a time of its own, or the bytes of the file. */
async function bodies(what: string): Promise<(sequence: number) => Buffer> {
  if (EXAMPLE_NAMES.includes(what)) {
    const run = randomBytes(6).toString('hex');
    return (sequence) => exampleBody(what, run, { sequence, at: new Date() });
  }
  try {
    const file = await readFile(what);
    return () => file;
  } catch (cause) {
    throw new CliError(
      'arguments_invalid',
      `"${what}" is neither an event type nor a file that can be read.\n${USAGE}`,
      {
        cause,
      },
    );
  }
}

interface SignedBody {
  body: Buffer;
  signature: string;
  /** Keeps the connections open between requests; used for http only. */
  agent: Agent;
}

/**
 * Sends one body. Answers the status with the text of the answer, or why there was no answer.
 *
 * It does not use `fetch`, which sends a quarter as many requests a second. `fetch` also refuses some ports, and addresses with a login.
 */
async function post(url: string, { body, signature, agent }: SignedBody): Promise<string> {
  return new Promise((resolve) => {
    const secure = url.startsWith('https:');
    const outgoing = (secure ? secureRequest : request)(url, {
      method: 'POST',
      ...(secure ? {} : { agent }),
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        [SIGNATURE_HEADER]: signature,
      },
      timeout: ANSWER_LIMIT_MS,
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${ANSWER_LIMIT_MS / 1000} s`)));
    outgoing.on('error', (error) => resolve(explain(error)));
    outgoing.on('response', (response) => {
      const status = String(response.statusCode);
      text(response).then(
        (said) => resolve(status === '200' ? status : `${status} ${said.slice(0, 300)}`),
        (error: unknown) => resolve(error instanceof Error ? error.message : String(error)),
      );
    });
    outgoing.end(body);
  });
}

/** Describes a failed connection, and names the remedy. */
function explain(error: Error): string {
  const code = 'code' in error ? error.code : '';
  const said = error.message || String(error);
  if (code === 'ECONNREFUSED')
    return `${said}: nothing listens there. Run npm start in another terminal, or see PORT and --url.`;
  if (code === 'EPROTO') return 'no TLS is spoken there: the address begins with http://';
  return said;
}
