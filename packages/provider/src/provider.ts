/** How far a call is at the provider. */
export type CallStatus = 'initiated' | 'in-progress' | 'processing' | 'done' | 'failed';

/** Which calls are listed: those that began in this time. The provider does not say whether both ends are included. Unix milliseconds. */
export interface ListWindow {
  from: number;
  to: number;
  /** Only calls of these statuses; by default of all. */
  statuses?: readonly CallStatus[] | undefined;
  /** Called with how many items of a page are left out, because they cannot be read. */
  onUnreadable?: ((count: number) => void) | undefined;
}

/** A call as the provider's list has it. Null: the provider does not say. */
export interface ListedConversation {
  id: string;
  agentId: string | null;
  status: CallStatus;
  /** Unix milliseconds. Of a call that is listed without a usable start it is that of the call before it, else the window's `from`. */
  startedAt: number;
  /** Whether the list has a usable start of it. */
  isStartKnown: boolean;
  /** 0 where the provider does not say. */
  durationSeconds: number;
  /** How many messages its transcript has; null where the provider does not say. */
  messageCount: number | null;
  direction: string | null;
  title: string | null;
  summary: string | null;
  /** success, failure or unknown */
  callSuccessful: string | null;
  endReason: string | null;
}

/** A call's whole account, as the provider gives it now. */
export interface FetchedConversation {
  id: string;
  agentId: string | null;
  userId: string | null;
  /** The other party's telephone number. */
  externalNumber: string | null;
  status: CallStatus;
  /** Unix milliseconds; null where the account has none. */
  startedAt: number | null;
  durationSeconds: number | null;
  /** The answer's exact bytes. */
  bytes: Buffer;
}

/** A webhook of the workspace. Times in unix milliseconds. */
export interface ProviderWebhook {
  id: string;
  name: string;
  url: string;
  isDisabled: boolean;
  /** Switched off by the provider, because it failed. */
  isAutoDisabled: boolean;
  /** hmac, oauth2, mtls; null where the provider does not say. */
  authType: string | null;
  createdAt: number | null;
  /** What uses it; undefined where this key may not see that. */
  usages: readonly WebhookUse[] | undefined;
  lastFailure: { code: number | null; at: number } | undefined;
}

/** What uses a webhook. */
export interface WebhookUse {
  type: string;
}

/** The webhooks of the workspace. */
export interface ProviderWebhooks {
  webhooks: ProviderWebhook[];
  /** Whether this key may see what uses them: administrators' alone. */
  seesUsages: boolean;
}

/** Where the workspace's events go. */
export interface ProviderSettings {
  postCallWebhookId: string | null;
  /** The kinds of events that are sent: transcript, audio, call_initiation_failure. Undefined where the provider does not say. */
  events: readonly string[] | undefined;
  /** json or opentelemetry */
  transcriptFormat: string | null;
  excludeTranscript: boolean;
  /** Of the conversation-initiation webhook; null where there is none. */
  initiationUrl: string | null;
}

/** An agent, and where it departs from the workspace. */
export interface ProviderAgent {
  id: string;
  name: string;
  /** Undefined: the agent has the workspace's. */
  webhooks: Omit<ProviderSettings, 'initiationUrl'> | undefined;
  /** Whether the agent asks the conversation-initiation webhook. */
  asksInitiation: boolean;
  /** Of the agent's own conversation-initiation webhook; null: it asks the workspace's. */
  initiationUrl: string | null;
  privacy: {
    /** Days for which the provider keeps conversations; null: without a limit. */
    retentionDays: number | null;
    zeroRetention: boolean;
  };
}

/** What is heard on a monitoring socket. */
export interface MonitorHandlers {
  /** A message, parsed; what is no JSON object is left out. */
  onMessage(message: Readonly<Record<string, unknown>>): void;
  /** Called for a message of more than 1 MiB, which is left out. One of more than 16 MiB closes the socket. */
  onTooLarge(bytes: number): void;
  /** Called once, when the socket is closed, whoever closed it. 1008: the agent may not be monitored. */
  onClose(code: number, reason: string): void;
}

/** A running call, followed. It never sends anything. */
export interface MonitorSocket {
  close(): void;
}

/**
 * The API of the provider. At most two requests of this process are on their way at once. A request that the provider is too busy for, or that fails on its way, is
 * made again after a pause. Every method throws a `ProviderError`, and the reason of the signal as soon as that is aborted.
 */
export interface Provider {
  /**
   * Lists calls by their beginning, the oldest first, page after page. A call that moves from page to page meanwhile comes once, unless a thousand others lie
   * between. An item that cannot be read is left out: above all one without an id, or with one of more than 256 characters. @throws ProviderError, also where the pages do not end, or nothing of a
   * page of more than ten can be read
   */
  conversations(window: ListWindow, signal: AbortSignal): AsyncIterable<ListedConversation[]>;
  /** Fetches a call's account. A 404 is asked for once more before it counts. */
  conversation(id: string, signal: AbortSignal): Promise<FetchedConversation>;
  /**
   * Fetches a call's audio, and has it read piece after piece. A 404 is asked for once more before it counts. Audio that is cut is asked for again, and `read` is called with
   * it from its beginning: it must keep nothing of what it read before. It counts as a request that is on its way until it is read to its end, or is left (`break`, `return`).
   *
   * @returns  What `read` returns.
   * @throws   What `read` throws of itself.
   */
  audio<T>(id: string, read: (pieces: AsyncIterable<Buffer>) => Promise<T>, signal: AbortSignal): Promise<T>;
  webhooks(signal: AbortSignal): Promise<ProviderWebhooks>;
  settings(signal: AbortSignal): Promise<ProviderSettings>;
  /** Lists the agents that this key sees, each with its own settings. */
  agents(signal: AbortSignal): AsyncIterable<ProviderAgent>;
  /** Has the provider repeat what failed. The webhook's name and whether it is disabled stay as they are. */
  enableRetries(webhook: Pick<ProviderWebhook, 'id' | 'name' | 'isDisabled'>, signal: AbortSignal): Promise<void>;
  /** Follows a running call. It connects in the background. */
  monitor(id: string, handlers: MonitorHandlers): MonitorSocket;
  /** Ends what is on its way. */
  close(): void;
}
