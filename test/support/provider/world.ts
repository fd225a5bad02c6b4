import type { Access } from './access.ts';
import type { Account } from './conversation.ts';
import type { Agent, Settings, Webhook } from './workspace.ts';

/** All that the stand-in has. Every map is live: the next answer shows what a test changes. */
export interface World {
  conversations: Map<string, Account>;
  webhooks: Map<string, Webhook>;
  /** The webhooks for which somebody has switched retries on. The provider tells nobody. */
  retried: Set<string>;
  settings: Settings;
  agents: Map<string, Agent>;
  /** Ids of users besides those of the conversations. */
  users: Set<string>;
  /** What each key may do. */
  keys: Map<string, Access>;
}
