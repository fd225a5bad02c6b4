import { fetchAudio, fetchConversation, listConversations } from './conversations.ts';
import { ProviderError } from './errors.ts';
import { createMessageRoom } from './monitor/message-room.ts';
import { openMonitor } from './monitor/open-monitor.ts';
import type { MonitorHandlers, MonitorSocket, Provider } from './provider.ts';
import { Client } from './request/client.ts';
import { readAgents, readSettings, readWebhooks, switchRetriesOn } from './workspace.ts';

/** What a header can hold. An error of fetch about another value would quote it. */
const VISIBLE = /^[\x21-\x7e]+$/;

/** What all monitoring sockets together may hold of messages that are not whole, in bytes, beyond 64 KiB each: 1,000 sockets hold 128 MiB at most. */
const MESSAGE_ROOM_BYTES = 64 * 1024 * 1024;

/** How to reach the provider. */
export interface ProviderOptions {
  /** ELEVENLABS_API_KEY */
  apiKey: string;
  /** ELEVENLABS_API_URL */
  url: string;
  /** The first pause before a request is made again, in ms; each next one is twice as long. Only tests need another one. */
  firstPauseMs?: number | undefined;
  /** How often a request is made again at most. With the pauses of the default it takes a minute until a provider that is away makes an error. */
  tries?: number | undefined;
  /** How long a request is made again at most, and a pause that the provider asks for is waited for, in ms; by default as `tries` has it. For a person who waits. */
  patienceMs?: number | undefined;
  /** Called once for each request that takes longer than two seconds. */
  onWait?: (() => void) | undefined;
  /** How long an answer, or the next piece of one, is waited for, in ms. */
  silenceMs?: number | undefined;
}

/**
 * Opens the provider's API. Nothing is asked before the first use. A process opens it once: the bound of two requests at once is that of one `Provider`.
 * Each process has two of its own: a worker, the monitor and a command together may have more, and the provider then answers 429.
 *
 * @throws  ProviderError `unauthorized` for a key that no header can hold.
 */
export function openProvider(options: ProviderOptions): Provider {
  const { apiKey, firstPauseMs = 1_000, tries = 6, silenceMs = 30_000, patienceMs = Infinity, onWait } = options;
  const { origin } = new URL(options.url);
  if (!VISIBLE.test(apiKey)) throw new ProviderError('unauthorized', 'The API key holds characters that no key has.');
  const client = new Client({ apiKey, origin, firstPauseMs, tries, silenceMs, patienceMs, onWait });
  const monitors = new Set<MonitorSocket>();
  const room = createMessageRoom(MESSAGE_ROOM_BYTES);
  return {
    conversations: (window, signal) => listConversations(client, window, signal),
    conversation: (id, signal) => fetchConversation(client, { id, againMs: firstPauseMs / 2 }, signal),
    audio: (id, read, signal) => fetchAudio(client, { id, againMs: firstPauseMs / 2, read }, signal),
    webhooks: (signal) => readWebhooks(client, signal),
    settings: (signal) => readSettings(client, signal),
    agents: (signal) => readAgents(client, signal),
    enableRetries: (webhook, signal) => switchRetriesOn(client, webhook, signal),
    monitor(id, handlers) {
      const onClose = (code: number, reason: string) => {
        monitors.delete(socket);
        handlers.onClose(code, reason);
      };
      const heard: Omit<MonitorHandlers, 'onClose'> = {
        onMessage: (message) => handlers.onMessage(message),
        onTooLarge: (bytes) => handlers.onTooLarge(bytes),
      };
      const socket = openMonitor(id, { origin, apiKey, silenceMs, room }, { ...heard, onClose });
      monitors.add(socket);
      return socket;
    },
    close() {
      client.close();
      for (const socket of monitors) socket.close();
    },
  };
}
