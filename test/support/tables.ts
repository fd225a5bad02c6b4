/** All that Landline writes to, the ledger first. */
export const TABLES = [
  'webhook_events',
  'conversations',
  'conversation_messages',
  'agent_tool_calls',
  'user_commands',
  'user_profiles',
];
