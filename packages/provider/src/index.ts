export type {
  CallStatus,
  FetchedConversation,
  ListedConversation,
  ListWindow,
  MonitorHandlers,
  MonitorSocket,
  Provider,
  ProviderAgent,
  ProviderSettings,
  ProviderWebhook,
  ProviderWebhooks,
} from './provider.ts';
export { ProviderError, type ProviderFault } from './errors.ts';
export { openProvider, type ProviderOptions } from './open-provider.ts';
export { providerVariables } from './variables.ts';
