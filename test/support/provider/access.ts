/** What an API key may do. */
export interface Access {
  /** Only administrators see what uses a webhook. */
  isAdmin: boolean;
  /** The agents that the key sees; undefined: all. */
  agents?: readonly string[];
  /** Permissions that the key lacks, as the provider names them: convai_read, convai_write, workspace_read, webhooks_write. */
  lacks?: readonly string[];
}

/** Tells whether a key sees what belongs to an agent. */
export function sees({ agents }: Access, agentId: string): boolean {
  return agents === undefined || agents.includes(agentId);
}

/** Returns the permission that a request takes. */
export function permissionFor(method: string, path: string): string {
  const isReading = method === 'GET';
  if (path.startsWith('/v1/workspace/')) return isReading ? 'workspace_read' : 'webhooks_write';
  return isReading ? 'convai_read' : 'convai_write';
}
