import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { diagnose } from '@landline/webhook/diagnose';
import type { CommandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import { readTime } from './journal/read-time.ts';
import { readEnvFile } from './start/env-file.ts';
import { readTolerance, readWebhookSecrets } from './webhook-secrets.ts';

const USAGE = `diagnose takes a file with a body and its signature header:
  npm run landline -- diagnose <body file> --header "t=…,v0=…" [--secret s] [--at <time>] [--json]
--secret may come several times; by default the secrets are those of ELEVENLABS_WEBHOOK_SECRET. --at: when the request came, now by default.`;

/**
 * `landline diagnose <body file> --header "t=…,v0=…"`: says which change would make the signature pass. It needs no server.
 *
 * @returns The exit code: 0 where the signature is good or a cause was found, else 1.
 * @throws  {CliError} `arguments_invalid`, also for a file that cannot be read; `configuration_invalid`: there is no secret.
 */
export async function runDiagnose(args: string[], { root, env: given, print }: CommandContext): Promise<number> {
  const { file, header, secrets, receivedAt, json } = readArguments(args);
  const env = await readEnvFile(root, given);
  const body = await readFile(file).catch((cause: unknown) => {
    throw new CliError('arguments_invalid', `The body cannot be read: ${String(cause)}`, { cause });
  });
  const { isFound, ...diagnosis } = diagnose({
    header,
    headers: {},
    body,
    secrets: secrets ?? readWebhookSecrets(env).secrets,
    receivedAt,
    toleranceSeconds: readTolerance(env),
    code: undefined,
  });
  if (json) print(JSON.stringify({ ...diagnosis, found: isFound }, undefined, 2));
  else print(`${diagnosis.cause}: ${diagnosis.message}\n${diagnosis.advice}`);
  return isFound ? 0 : 1;
}

function readArguments(args: string[]) {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      header: { type: 'string' },
      secret: { type: 'string', multiple: true },
      at: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [file, ...rest] = positionals;
  const { header, secret, at, json } = values;
  if (!file || rest.length > 0 || header === undefined) throw new CliError('arguments_invalid', USAGE);
  const now = Date.now();
  const receivedAt = Math.floor((at === undefined ? now : readTime('--at', at, now)) / 1000);
  // A person copies the whole line.
  return { file, header: header.replace(/^elevenlabs-signature:\s*/i, ''), secrets: secret, receivedAt, json };
}
