import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { readSecret } from '@landline/process';
import type { CommandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import type { Environment } from './start/env-file.ts';

const INITIATION_PATH = '/api/elevenlabs/conversation-initiation';
const DEFAULT_PORT = 3003;
/** How long the answer may take, in ms. Landline promises 300 ms, and ElevenLabs does not publish its limit. After this time none will come. */
const ANSWER_LIMIT_MS = 10_000;
/** How much of an unexpected answer is printed, in characters. */
const MOST_SHOWN = 2_000;

const USAGE = `send conversation-initiation asks who is calling, as ElevenLabs does: npm run landline -- send conversation-initiation --caller <number>
  --caller <number>    who calls, for example +12025550123; withheld: anonymous
  --called <number>    who is called
  --agent <id>         the agent that takes the call
  --conversation <id>  names the conversation: then a conversation.started is enqueued for it
  --call-sid <id>      Twilio's id of the call
  --url <address>      the whole address; by default that of npm start on this machine`;

/**
 * `landline send conversation-initiation …`: asks the initiation who is calling, and prints the answer as indented JSON. The duration and
 * the faults go to `printError`. Each fault names its remedy.
 *
 * @param args     `conversation-initiation --caller <number>` and the options above.
 * @param context  `env`: INITIATION_TOKEN or INITIATION_TOKEN_FILE, and INITIATION_PORT.
 * @returns        The exit code: 0 for an answer of 200 with JSON, else 1.
 * @throws         {CliError} `arguments_invalid` or `configuration_invalid`.
 */
export async function sendInitiation(
  args: readonly string[],
  context: Pick<CommandContext, 'env' | 'print' | 'printError'>,
): Promise<number> {
  const { print, printError = print } = context;
  const { url, body } = readArguments(args, context.env);
  const token = readToken(context.env);
  const startedAt = performance.now();
  const answer = await post(url, body, token);
  if ('fault' in answer) {
    printError(answer.fault);
    return 1;
  }
  const said = answer.status === 200 ? parseJson(answer.text) : undefined;
  if (said === undefined) {
    printError(explain(answer, url));
    return 1;
  }
  print(JSON.stringify(said, undefined, 2));
  printError(`Answered in ${Math.round(performance.now() - startedAt)} ms.`);
  return 0;
}

function readArguments(args: readonly string[], env: Environment): { url: string; body: string } {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { caller: text, called: text, agent: text, conversation: text, 'call-sid': text, url: text },
  });
  if (positionals.length !== 1 || !values.caller) throw new CliError('arguments_invalid', USAGE);
  // ElevenLabs sends a flat object, without the keys that have no value.
  const body = {
    caller_id: values.caller,
    agent_id: values.agent ?? 'agent_example',
    called_number: values.called ?? '+12025550100',
    call_sid: values['call-sid'] ?? `CA${randomBytes(16).toString('hex')}`,
    conversation_id: values.conversation,
  };
  return { url: readUrl(values.url, env), body: JSON.stringify(body) };
}

function readUrl(given: string | undefined, env: Environment): string {
  const url = given ?? `http://127.0.0.1:${env['INITIATION_PORT'] || DEFAULT_PORT}${INITIATION_PATH}`;
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) {
    const { origin, pathname } = new URL(url);
    return pathname === '/' ? `${origin}${INITIATION_PATH}` : url;
  }
  if (given === undefined) throw new CliError('configuration_invalid', 'INITIATION_PORT must be a TCP port.');
  throw new CliError('arguments_invalid', `--url takes the whole address, http://host:port${INITIATION_PATH}.`);
}

function readToken(env: Environment): string {
  const token = readSecret('INITIATION_TOKEN', env);
  if (token === undefined) {
    throw new CliError(
      'configuration_invalid',
      'INITIATION_TOKEN is not set. A new .env has one; for an older one make it with openssl rand -hex 24, and start Landline again.',
    );
  }
  // The error that fetch throws at such a header quotes the token.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError(
    'configuration_invalid',
    'INITIATION_TOKEN holds a space or a character outside ASCII, which no header carries: make another with openssl rand -hex 24.',
  );
}

interface Answer {
  status: number;
  text: string;
}

async function post(url: string, body: string, token: string): Promise<Answer | { fault: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
      // A redirect could carry the token to another address.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { fault: explainFault(error, url) };
  }
}

/** What a request without an answer says, and what to do about it. */
function explainFault(error: unknown, url: string): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `${url} did not answer in ${ANSWER_LIMIT_MS / 1000} s. Look at the initiation's log.`;
  }
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ECONNREFUSED') {
    return `Nothing listens at ${new URL(url).origin}. Run npm start in another terminal, or see INITIATION_PORT and --url.`;
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return `No TLS is spoken at ${url}: the address begins with http://.`;
  return `${url} could not be asked: ${cause instanceof Error ? cause.message : String(error)}`;
}

const ADVICE: Readonly<Record<string, string>> = {
  token_not_set:
    'The initiation has no token. Set INITIATION_TOKEN for it as for this command (in .env), and start Landline again.',
  token_mismatch:
    'The initiation has another INITIATION_TOKEN than this command. Compare both; after a change of .env, start Landline again.',
  token_missing:
    'The token did not arrive: something on the way drops the header Authorization. Let it pass, or ask the initiation itself by --url.',
};

/** Describes an unexpected answer, and names the remedy. */
function explain({ status, text }: Answer, url: string): string {
  const said = `${url} answered ${status}: ${text.slice(0, MOST_SHOWN)}`;
  if (status === 200) return `${said}\nThat is no JSON: something else listens there. See INITIATION_PORT and --url.`;
  if (status === 401) return `${said}\n${ADVICE[codeOf(text)] ?? 'Something on the way asks for a login of its own.'}`;
  if (status === 404) {
    return `${said}\nAnother server listens there, or the path is not ${INITIATION_PATH}. See INITIATION_PORT and --url.`;
  }
  return said;
}

function codeOf(text: string): string {
  const parsed = parseJson(text);
  return typeof parsed === 'object' && parsed !== null && 'code' in parsed ? String(parsed.code) : '';
}

/** Answers undefined where `text` is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
