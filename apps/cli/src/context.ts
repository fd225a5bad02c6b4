import { parseArgs } from 'node:util';
import { WEBHOOK_PATH } from '@landline/webhook';
import { LANGUAGES } from '@landline/webhook/language';
import { CliError } from './errors.ts';
import type { Environment } from './start/env-file.ts';

/** The agent context: facts about Landline for an agent, with exactly these keys in this order. */
export interface AgentContext {
  webhook_url: string;
  /** ISO 639-1 codes. */
  supported_languages: string[];
  /** The codes of the dialects of each language that has dialects. */
  supported_dialects: Record<string, string[]>;
  twilio_enabled: true;
  command_saving_enabled: true;
  personality_awareness: true;
}

/**
 * `landline context`: makes the agent context.
 *
 * @param args  `[--url u]`: an origin, or the whole address of the webhook.
 * @param env   PUBLIC_URL counts where `--url` is missing. Where both are missing, the address is PORT on this machine.
 * @returns     The agent context, to be printed as JSON.
 * @throws      {CliError} `arguments_invalid`: `--url` is no such address. `configuration_invalid`: PUBLIC_URL or PORT makes no such
 *              address.
 */
export function makeAgentContext(args: readonly string[], env: Environment): AgentContext {
  const { url } = parseArgs({ args: [...args], options: { url: { type: 'string' } } }).values;
  const languages = Object.entries(LANGUAGES).map(([code, { dialects }]) => ({
    code,
    dialects: Object.keys(dialects),
  }));
  return {
    webhook_url: findWebhookUrl(url, env),
    supported_languages: languages.map(({ code }) => code),
    supported_dialects: Object.fromEntries(
      languages.flatMap(({ code, dialects }) => (dialects.length === 0 ? [] : [[code, dialects]])),
    ),
    twilio_enabled: true,
    command_saving_enabled: true,
    personality_awareness: true,
  };
}

function findWebhookUrl(given: string | undefined, env: Environment): string {
  if (given !== undefined) {
    return webhookUrlAt(given) ?? refuse('arguments_invalid', '--url');
  }
  const publicUrl = env['PUBLIC_URL'];
  if (publicUrl) return webhookUrlAt(publicUrl) ?? refuse('configuration_invalid', 'PUBLIC_URL');
  const here = `http://127.0.0.1:${env['PORT'] || 3000}`;
  return webhookUrlAt(here) ?? refuse('configuration_invalid', 'PORT must be a TCP port. PUBLIC_URL, if you set it,');
}

/** Makes the webhook's address of an origin, and takes an address of the webhook as it is. Undefined where `text` is neither. */
function webhookUrlAt(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // The agent must not learn a password, and the webhook's address has no query.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
  const path = url.pathname.replace(/\/+$/, '');
  if (path === '') return `${url.origin}${WEBHOOK_PATH}`;
  return path.endsWith(WEBHOOK_PATH) ? `${url.origin}${path}` : undefined;
}

function refuse(code: 'arguments_invalid' | 'configuration_invalid', name: string): never {
  const forms = `an origin such as https://calls.example.com, or the webhook's whole address, which ends in ${WEBHOOK_PATH}`;
  throw new CliError(code, `${name} takes ${forms}.`);
}
