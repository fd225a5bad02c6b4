import { openProvider, type Provider, type ProviderOptions } from '@landline/provider';
import type { CommandContext } from '../command-context.ts';
import { complain } from '../operations/follow-operation.ts';

/** How long a command lets ElevenLabs be away, or silent, in ms. A worker waits a minute and more; somebody at a terminal wants to know. */
const PATIENCE_MS = 10_000;

/** Opens the provider for somebody who waits at a terminal: it gives up soon, and says beside the answer that it waits. */
export function openForCommand(options: Pick<ProviderOptions, 'apiKey' | 'url'>, context: CommandContext): Provider {
  let isTold = false;
  const onWait = () => {
    if (!isTold) complain('ElevenLabs does not answer yet: trying again.', context);
    isTold = true;
  };
  return openProvider({ ...options, patienceMs: PATIENCE_MS, silenceMs: PATIENCE_MS, onWait });
}
