import { describeWebhook, ownWebhooks } from '@landline/operations';
import type { Provider, ProviderWebhook } from '@landline/provider';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { escapeControls } from '../format-table.ts';
import { complain } from '../operations/follow-operation.ts';

const CANNOT_ASK =
  'provider --enable-retries changes the webhook at ElevenLabs, and nobody can be asked here: --yes does it without asking.';

const NO_READING_BACK = 'ElevenLabs does not tell whether retries are on, so this cannot be read back.';

/** What the command was called with. */
interface Wanted {
  yes: boolean;
  json: boolean;
  publicUrl: string | undefined;
}

/**
 * Shows the webhooks with our URL, asks, and has the provider repeat what fails there. Other webhooks stay as they are. Where nobody can be asked, it ends
 * after it has shown them.
 *
 * @returns  The exit code: 0 where retries were switched on, or the answer was no.
 * @throws   {CliError} `arguments_invalid`: nobody can be asked. `configuration_invalid`: no webhook is surely ours. ProviderError.
 */
export async function enableRetries(api: Provider, wanted: Wanted, context: CommandContext): Promise<number> {
  const { signal } = new AbortController();
  const { print } = context;
  const ours = findOurs((await api.webhooks(signal)).webhooks, wanted.publicUrl);
  const what = wanted.yes ? 'Switching retries on for' : 'Retries would be switched on for';
  const which = `${what}:\n${ours.map((each) => `  ${describe(each)}`).join('\n')}`;
  // Whoever is asked must read it; a document has it afterwards.
  if (wanted.json) complain(which, context);
  else print(which);
  if (!wanted.yes && context.ask === undefined) throw new CliError('arguments_invalid', CANNOT_ASK);
  if (!wanted.yes && !(await context.ask?.('Have ElevenLabs repeat transcripts that failed?'))) {
    complain('Nothing was changed.', context);
    return 0;
  }
  // oxlint-disable-next-line no-await-in-loop -- one after the other: a refusal ends it
  for (const webhook of ours) await api.enableRetries(webhook, signal);
  const done = ours.map(({ id, name }) => ({ webhook_id: id, name }));
  if (wanted.json) print(escapeControls(JSON.stringify({ retries_enabled: done }, undefined, 2)));
  else print(`Switched on. Name and state of the webhook are as before. ${NO_READING_BACK}`);
  return 0;
}

function findOurs(webhooks: readonly ProviderWebhook[], publicUrl: string | undefined): ProviderWebhook[] {
  const ours = ownWebhooks(webhooks, publicUrl);
  if (ours.length === 0) {
    throw new CliError(
      'configuration_invalid',
      'No webhook has our URL. What there is instead: npm run landline -- provider',
    );
  }
  const hosts = new Set(ours.map(({ url }) => new URL(url).host));
  if (hosts.size > 1) {
    const which = ours.map((each) => `  ${describe(each)}`).join('\n');
    const advice = 'Webhooks of several hosts have our path. Set PUBLIC_URL, so that only yours is changed.';
    throw new CliError('configuration_invalid', `${advice}\n${which}`);
  }
  return ours;
}

function describe(webhook: ProviderWebhook): string {
  const state = webhook.isAutoDisabled || webhook.isDisabled ? ', switched off' : '';
  return `${describeWebhook(webhook)}${state}`;
}
