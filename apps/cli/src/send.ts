import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { parseArgs } from 'node:util';
import { readSecret } from '@landline/process';
import { webhookVariables } from '@landline/webhook';
import { CliError } from './errors.ts';
import { audioBody } from './example-audio.ts';
import { EXAMPLE_NAMES, exampleBody } from './example-events.ts';
import { postEvent, type EventBody } from './post-event.ts';
import type { Environment } from './start/env-file.ts';

/** The number of requests under way at once. */
const CONCURRENCY = 64;
const MAX_COUNT = 10_000_000;
/** The type that `--seconds` is for. */
const AUDIO_TYPE = 'post_call_audio';
/** The longest recording: a day, which is 1.8 GB of body. */
const MAX_SECONDS = 86_400;

const USAGE = `send takes one event type or a file with a body: npm run landline -- send <type or file> [--count n] [--url u] [--secret s] [--seconds n]
Types: ${EXAMPLE_NAMES.join(', ')}
live makes calls of ten live events each. A file is sent as it is, byte for byte.
--seconds is for ${AUDIO_TYPE}: it makes a recording of that length while it is sent, 1.3 MB for a minute.
--secret signs with another secret than the first of ELEVENLABS_WEBHOOK_SECRET.`;

/**
 * `landline send …`: signs and sends events, and prints a summary of the answers.
 *
 * @param args   `<type or file> [--count n] [--url u] [--secret s] [--seconds n]`.
 * @param env    ELEVENLABS_WEBHOOK_SECRET or ELEVENLABS_WEBHOOK_SECRET_FILE, and PORT. The first secret signs, where `--secret` names none.
 * @param print  Prints a line.
 * @returns      The exit code: 0 when every event was answered 200, else 1.
 * @throws       {CliError} `arguments_invalid` or `configuration_invalid`.
 */
export async function send(args: readonly string[], env: Environment, print = printLine): Promise<number> {
  const { what, count, url, seconds, secret = signingSecret(env) } = readArguments(args, env);
  const bodyOf = await bodies(what, seconds);
  const tally = new Map<string, number>();
  const startedAt = performance.now();
  let next = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  async function sendInTurn(): Promise<void> {
    while (next < count) {
      const result = await postEvent(url, bodyOf(next++), { secret, agent });
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

interface Arguments {
  what: string;
  count: number;
  url: string;
  /** What signs; undefined without `--secret`. */
  secret: string | undefined;
  /** The length of the recording; undefined without `--seconds`. */
  seconds: number | undefined;
}

function readArguments(args: readonly string[], env: Environment): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '1' },
      url: { type: 'string' },
      secret: { type: 'string' },
      seconds: { type: 'string' },
    },
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
  if (values.secret === '') throw new CliError('arguments_invalid', '--secret takes the secret that is to sign.');
  const seconds = values.seconds === undefined ? undefined : readSeconds(values.seconds, what);
  return { what, count, url, secret: values.secret, seconds };
}

function readSeconds(given: string, what: string): number {
  if (what !== AUDIO_TYPE) {
    const advice = `Leave it out, or send ${AUDIO_TYPE} --seconds ${given}.`;
    throw new CliError(
      'arguments_invalid',
      `--seconds makes a recording of that length, and ${what} has none. ${advice}`,
    );
  }
  const seconds = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new CliError('arguments_invalid', `--seconds takes a whole number from 1 to ${MAX_SECONDS}.`);
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

/**
 * Answers a function that makes the n-th body: an example with ids and a time of its own, a recording of its own where its
 * length is given, or the bytes of the file.
 */
async function bodies(what: string, seconds: number | undefined): Promise<(sequence: number) => EventBody> {
  const run = randomBytes(6).toString('hex');
  if (seconds !== undefined) return (sequence) => audioBody(run, { sequence, at: new Date(), seconds });
  if (EXAMPLE_NAMES.includes(what)) {
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
