import { addGauge, createRegistry } from '@landline/process';
import type { EventTypeName } from '@landline/webhook';
import { Counter, type Registry } from 'prom-client';

/** The types of the events that the monitor sends. */
const TYPES: readonly EventTypeName[] = [
  'conversation.started',
  'conversation.message',
  'conversation.ended',
  'agent.tool_call',
];

/** Who refused: the provider a socket (code 1008), or the receiver an event (401, for example). */
export type Refuser = 'provider' | 'receiver';

/** The monitor's metrics, and the registry that holds them. */
export interface MonitorMetrics {
  registry: Registry;
  sent: Counter<'type'>;
  reconnects: Counter;
  refused: Counter<'by'>;
  givenUp: Counter;
}

/** What is read at each scrape. */
export interface MonitorState {
  /** How many calls have a socket. */
  calls: () => number;
  isProviderUp: () => boolean;
  isReceiverUp: () => boolean;
}

/** Makes the metrics in a registry of their own. Each sample starts at 0: Prometheus sees an increase only after an earlier sample. */
export function createMetrics({ calls, isProviderUp, isReceiverUp }: MonitorState): MonitorMetrics {
  const registry = createRegistry();
  const registers = [registry];
  addGauge(registry, { name: 'landline_monitor_calls', help: 'Running calls that have a socket.', read: calls });
  addGauge(registry, {
    name: 'landline_monitor_provider_up',
    help: '1 while the provider says which calls run, else 0.',
    read: () => Number(isProviderUp()),
  });
  addGauge(registry, {
    name: 'landline_monitor_receiver_up',
    help: '1 while the receiver takes events, else 0.',
    read: () => Number(isReceiverUp()),
  });
  const sent = new Counter({
    name: 'landline_monitor_events_sent_total',
    help: 'Events that the receiver answered 200, by type.',
    labelNames: ['type'],
    registers,
  });
  const reconnects = new Counter({
    name: 'landline_monitor_reconnects_total',
    help: 'Sockets opened again because they were closed while their call ran.',
    registers,
  });
  const refused = new Counter({
    name: 'landline_monitor_refused_total',
    help: 'Sockets that the provider closed with 1008, and requests that the receiver answered 4xx.',
    labelNames: ['by'],
    registers,
  });
  const givenUp = new Counter({
    name: 'landline_monitor_given_up_total',
    help: 'Events that the receiver answered 413, or another 4xx for ten minutes, and that are left out.',
    registers,
  });
  for (const type of TYPES) sent.inc({ type }, 0);
  for (const by of ['provider', 'receiver'] satisfies Refuser[]) refused.inc({ by }, 0);
  return { registry, sent, reconnects, refused, givenUp };
}
