import { parseArgs } from 'node:util';
import { checkProvider, operationVariables, reconcileVariables } from '@landline/operations';
import { readVariables } from '@landline/process';
import { providerVariables } from '@landline/provider';
import { z } from 'zod';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { escapeControls } from '../format-table.ts';
import { recordingsUrl } from '../start/data-folders.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';
import { readServices } from '../start/services-file.ts';
import { askTables } from './ask-tables.ts';
import { checkDocument, describeCheck } from './describe-check.ts';
import { enableRetries } from './enable-retries.ts';
import { openForCommand } from './open-for-command.ts';
import { tryUrl } from './try-url.ts';

const NO_KEY = `ELEVENLABS_API_KEY is not set, so nothing can be asked of ElevenLabs. Make a key there (Developers → API keys → Create key) with
ElevenAgents: Read, Webhooks: Access and Workspace: Read, and write it into .env. docs/provider.md#the-key says more.`;

const schema = z.object({
  ...providerVariables,
  ...operationVariables,
  RECONCILE_WINDOW_HOURS: reconcileVariables.RECONCILE_WINDOW_HOURS,
});

/**
 * `landline provider [--enable-retries] [--yes] [--json]`: looks at the provider's side and says what is wrong there; or switches retries on.
 *
 * @returns  The exit code: 0 where there is no fault, 1 where there is one.
 * @throws   {CliError} `arguments_invalid`, `configuration_invalid`; ProviderError where retries cannot be switched on.
 */
export async function provider(args: string[], context: CommandContext): Promise<number> {
  const options = {
    'enable-retries': { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const;
  const { values: wanted } = parseArgs({ args, options });
  const env = await readEnvFile(context.root, context.env);
  const { ELEVENLABS_API_KEY: apiKey, ELEVENLABS_API_URL: url, ...config } = readConfig(env);
  if (apiKey === undefined) throw new CliError('configuration_invalid', NO_KEY);
  const api = openForCommand({ apiKey, url }, context);
  try {
    if (wanted['enable-retries']) return await enableRetries(api, { ...wanted, publicUrl: config.PUBLIC_URL }, context);
    const ports = {
      provider: api,
      publicUrl: config.PUBLIC_URL,
      windowHours: config.RECONCILE_WINDOW_HOURS,
      keepsAudio: await keepsAudio(env, context.root),
      tryUrl: context.tryUrl ?? ((ours: string) => tryUrl(ours)),
      ...askTables({ ...context, env }),
      now: Date.now(),
    };
    const check = await checkProvider(ports, new AbortController().signal);
    context.print(
      wanted.json ? escapeControls(JSON.stringify(checkDocument(check), undefined, 2)) : describeCheck(check),
    );
    return check.findings.some(({ level }) => level === 'fault') ? 1 : 0;
  } finally {
    api.close();
  }
}

function readConfig(env: Environment): z.infer<typeof schema> {
  const read = readVariables(schema, env);
  if (!read.ok) throw new CliError('configuration_invalid', read.faults);
  return read.config;
}

/** A running `npm start` keeps audio where RECORDINGS_URL is not set; an empty RECORDINGS_URL keeps none. */
async function keepsAudio(env: Environment, root: string): Promise<boolean> {
  const started = (await readServices(root)) === undefined ? undefined : recordingsUrl(root);
  return Boolean(env['RECORDINGS_URL'] ?? started);
}
