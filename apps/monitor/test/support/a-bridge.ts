import { createLogger } from '@landline/process';
import { ProviderError, type ListedConversation, type MonitorHandlers } from '@landline/provider';
import { createBridge } from '../../src/bridge.ts';
import type { Limits } from '../../src/lanes.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createOutbox } from '../../src/outbox.ts';
import { createSender } from '../../src/send-event.ts';

/** 2026-01-01T00:00:00Z. */
export const STARTED_AT = 1_767_225_600_000;

/** What a test says of a call in the provider's list. */
export function listed(id: string, more: Partial<ListedConversation> = {}): ListedConversation {
  return {
    id,
    agentId: 'agent_1',
    status: 'in-progress',
    startedAt: STARTED_AT,
    isStartKnown: true,
    durationSeconds: 0,
    messageCount: null,
    direction: 'inbound',
    title: null,
    summary: null,
    callSuccessful: null,
    endReason: null,
    ...more,
  };
}

/** A bridge between a bare provider and a bare receiver, both of which the test moves by hand. */
export function aBridge({
  maxCalls,
  giveUpMs = 600_000,
  noSocketOf,
  ...limits
}: { maxCalls?: number; giveUpMs?: number; noSocketOf?: string; ofACall?: Limits; ofAll?: Limits } = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'monitor',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  });
  const list = { calls: [] as ListedConversation[], fault: undefined as Error | undefined };
  const sockets: { id: string; handlers: MonitorHandlers; isClosed: boolean }[] = [];
  const clock = { ms: STARTED_AT };
  const receiver = { status: 200, bodies: [] as string[], tried: [] as string[] };
  const metrics = createMetrics({
    calls: () => bridge.openCalls(),
    isProviderUp: () => true,
    isReceiverUp: () => sender.isReceiverUp(),
  });
  const post = async (body: string) => {
    receiver.tried.push(body);
    if (receiver.status === 200) receiver.bodies.push(body);
    return receiver.status;
  };
  const sender = createSender({ post, metrics, logger, pauses: { first: 1, longest: 5, refused: 20 }, giveUpMs });
  const outbox = createOutbox({ sender, ...limits });
  const provider = {
    async *conversations() {
      yield list.calls;
      if (list.fault) throw list.fault;
    },
    monitor(id: string, handlers: MonitorHandlers) {
      if (id === noSocketOf) throw new ProviderError('not_found', 'The provider has nothing of that id.');
      const socket = { id, handlers, isClosed: false };
      sockets.push(socket);
      return { close: () => void (socket.isClosed = true) };
    },
  };
  const now = () => clock.ms;
  const bridge = createBridge({ provider, outbox, metrics, logger, now, ...(maxCalls !== undefined && { maxCalls }) });
  return {
    bridge,
    list,
    sockets,
    receiver,
    metrics,
    outbox,
    log: () => lines.join(''),
    /** Lets some seconds pass without a list. */
    pass: (seconds: number) => {
      clock.ms += seconds * 1000;
    },
    /** Lets some seconds pass, and lists the running calls. */
    look: async (seconds = 3) => {
      clock.ms += seconds * 1000;
      return bridge.look(new AbortController().signal);
    },
    /** Says something on the newest socket of a call. */
    hear: (id: string, message: object) => {
      sockets.findLast((socket) => socket.id === id)?.handlers.onMessage({ ...message });
    },
    /** Closes the newest socket of a call from the provider's side. */
    hangUp: (id: string, code = 1006, reason = '') => {
      sockets.findLast((socket) => socket.id === id)?.handlers.onClose(code, reason);
    },
    /** Returns the types of what the receiver has, in order, with the words of messages. */
    received: () => receiver.bodies.map((body) => short(JSON.parse(body))),
  };
}

function short({ type, data }: { type: string; data: { message?: string } }): string {
  return data.message === undefined ? type.replace('conversation.', '') : data.message;
}

/** What a caller says. */
export function userSays(text: string, event_id: number): object {
  return { type: 'user_transcript', user_transcription_event: { user_transcript: text, event_id } };
}
