/** Where the dashboard has the webhooks. */
export const WEBHOOKS = 'ElevenLabs → Workspace settings → Webhooks';

/** Where the dashboard says where the workspace's events go. */
export const POST_CALL = 'ElevenLabs → Agents → Settings → Post-call webhook';
