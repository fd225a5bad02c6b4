import { reconcileVariables } from '@landline/operations';
import { addressOf, DASHBOARD, INITIATION, MONITOR, RECEIVER } from './apps.ts';
import { hasProviderKey } from './has-provider-key.ts';
import { monitorState } from './monitor-state.ts';
import type { Environment } from './env-file.ts';
import type { KeptApp } from './keep-app.ts';

/** Makes the text that `npm start` prints when the receiver is up: the addresses, and the apps that are not up, each with its fault. */
export function summary(env: Environment, apps: readonly Pick<KeptApp, 'name' | 'fault'>[]): string {
  const notUp = apps.flatMap(({ name, fault }) => {
    const why = fault();
    return why === undefined ? [] : [`  ${name.padEnd(12)}${why}`];
  });
  const missing = notUp.length === 0 ? '' : `\nNot up, and tried again until it is:\n${notUp.join('\n')}\n`;
  const hasToken = Boolean(env['INITIATION_TOKEN'] || env['INITIATION_TOKEN_FILE']);
  const token = hasToken ? 'token: INITIATION_TOKEN in .env' : 'answers 401 until INITIATION_TOKEN is set in .env';
  const live = {
    off: '',
    invalid: '\n  Live events off: MONITOR must be on or off',
    keyless: '\n  Live events off: MONITOR=on needs ELEVENLABS_API_KEY in .env',
    on: `\n  Live events health: ${addressOf(MONITOR, env)}/health/ready`,
  }[monitorState(env)];
  return `
Landline is up.

  Webhooks    ${addressOf(RECEIVER, env)}/api/elevenlabs/webhook
  Callers     ${addressOf(INITIATION, env)}/api/elevenlabs/conversation-initiation   ${token}
  Dashboard   ${addressOf(DASHBOARD, env)}   user ${env['DASHBOARD_USER'] || 'admin'}, password: DASHBOARD_PASSWORD in .env
  Secret      ELEVENLABS_WEBHOOK_SECRET in .env
  Compares with ElevenLabs   ${comparing(env)}${live}
${missing}
Send a signed event:  npm run landline -- send conversation.started
See the rows:         npm run landline -- sql "SELECT * FROM conversations ORDER BY started_at DESC LIMIT 10"
Stop:                 Ctrl-C
`;
}

/** Says how often a worker compares with the provider. A wrong variable keeps the worker from starting, so nothing is compared. */
function comparing(env: Environment): string {
  if (!hasProviderKey(env)) return 'off: set ELEVENLABS_API_KEY in .env (docs/nothing-missing.md)';
  const given = env['RECONCILE_INTERVAL_MINUTES'] || undefined;
  const read = reconcileVariables.RECONCILE_INTERVAL_MINUTES.safeParse(given);
  if (!read.success) return `off: ${read.error.issues.map(({ message }) => message).join(', ')}`;
  return read.data === 1 ? 'every minute' : `every ${read.data} minutes`;
}
