import { describe, expect, test } from 'vitest';
import { readCompose, serviceOf } from './support/compose.ts';
import { judgeOf, type End } from './support/network-policies.ts';
import { buildOverlay, OVERLAYS, type OverlayName } from './support/overlay.ts';
import { containerOf, workloadOf } from './support/workloads.ts';

const NAMESPACE = { name: 'landline', labels: { 'kubernetes.io/metadata.name': 'landline' } };
const OUTSIDE: End = {};
const PROMETHEUS: End = {
  labels: { 'app.kubernetes.io/name': 'prometheus' },
  namespace: { name: 'monitoring', labels: { 'kubernetes.io/metadata.name': 'monitoring' } },
};
const STRANGER: End = {
  labels: { 'app.kubernetes.io/part-of': 'landline', 'landline-queue': 'member', 'landline-store': 'member' },
  namespace: { name: 'default', labels: { 'kubernetes.io/metadata.name': 'default' } },
};
const PROCESSES = ['receiver', 'worker', 'dashboard', 'initiation'];
const POSTGRES = { number: 5432 };
const REDIS = { number: 6379 };

/** The pods of an overlay, and which connections its policies let through. */
function networkOf(overlay: OverlayName) {
  const manifests = buildOverlay(overlay);

  function pod(component: string): End {
    const ports = containerOf(manifests, component).ports.map(({ name, containerPort }) => [name, containerPort]);
    const { labels } = workloadOf(manifests, component).spec.template.metadata;
    return { labels, namespace: NAMESPACE, ports: Object.fromEntries(ports) };
  }

  return {
    manifests,
    mayReach: judgeOf(manifests, 'landline').mayReach,
    pod,
    portOf: (component: string, name: string) => ({
      number: containerOf(manifests, component).ports.find((port) => port.name === name)?.containerPort ?? 0,
    }),
    /** Redis or Postgres: a pod in the overlay small, an address elsewhere in the overlay cluster. */
    server: (name: string): End => (overlay === 'small' ? pod(name) : OUTSIDE),
  };
}

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  const { manifests, mayReach, pod, portOf, server } = networkOf(overlay);

  test.each(PROCESSES)('%s reaches Redis and Postgres as it does in Compose', (name) => {
    const compose = readCompose();
    const shares = (other: string) =>
      serviceOf(compose, name).networks.some((network) => serviceOf(compose, other).networks.includes(network));
    expect([name, mayReach(pod(name), server('redis'), REDIS)]).toEqual([name, shares('redis')]);
    expect([name, mayReach(pod(name), server('postgres'), POSTGRES)]).toEqual([name, shares('postgres')]);
  });

  test('the receiver has no way to Postgres, and has its way to Redis and to names', () => {
    const receiver = pod('receiver');
    expect(mayReach(receiver, server('postgres'), POSTGRES)).toBe(false);
    expect(mayReach(receiver, OUTSIDE, POSTGRES)).toBe(false);
    expect(mayReach(receiver, server('redis'), REDIS)).toBe(true);
    expect(mayReach(receiver, OUTSIDE, { number: 53, protocol: 'UDP' })).toBe(true);
    expect(mayReach(receiver, OUTSIDE, { number: 443 })).toBe(overlay === 'cluster');
    for (const other of ['worker', 'initiation', 'dashboard']) {
      for (const { containerPort } of containerOf(manifests, other).ports) {
        expect([other, mayReach(receiver, pod(other), { number: containerPort })]).toEqual([other, false]);
      }
    }
  });

  test('who asks the provider reaches it, in every overlay', () => {
    const reaching = PROCESSES.filter((name) => mayReach(pod(name), OUTSIDE, { number: 443 }));
    expect(reaching).toEqual(overlay === 'cluster' ? ['receiver', 'worker', 'dashboard'] : ['worker']);
  });

  test('the internet reaches webhooks and callers, and nothing else', () => {
    const reached = PROCESSES.flatMap((name) =>
      containerOf(manifests, name).ports.map((port) => [
        `${name} ${port.name}`,
        mayReach(OUTSIDE, pod(name), { number: port.containerPort }),
      ]),
    );
    expect(Object.fromEntries(reached)).toEqual({
      'receiver http': true,
      'receiver metrics': false,
      'worker metrics': false,
      'dashboard http': false,
      'initiation http': true,
    });
  });

  test('what Compose publishes on all addresses is what the internet reaches', () => {
    const published = PROCESSES.filter((name) =>
      serviceOf(readCompose(), name).ports.some((port) => port.startsWith('${')),
    );
    expect(PROCESSES.filter((name) => mayReach(OUTSIDE, pod(name), portOf(name, 'http')))).toEqual(published);
  });

  test('Prometheus reaches the metrics of each process, where it is there', () => {
    const metrics = { receiver: 'metrics', worker: 'metrics', dashboard: 'http', initiation: 'http' };
    for (const [name, port] of Object.entries(metrics)) {
      // The port of the initiation is open to everybody.
      const isReached = overlay === 'cluster' || name === 'initiation';
      expect([name, mayReach(PROMETHEUS, pod(name), portOf(name, port))]).toEqual([name, isReached]);
    }
  });

  test('a pod of another namespace reaches no port but those that the internet reaches, whatever its labels', () => {
    for (const name of PROCESSES) {
      for (const port of containerOf(manifests, name).ports) {
        const at = { number: port.containerPort };
        expect([name, mayReach(STRANGER, pod(name), at)]).toEqual([name, mayReach(OUTSIDE, pod(name), at)]);
      }
    }
  });
});

test('Redis and Postgres of the overlay small let nobody else in, and go nowhere', () => {
  const { mayReach, pod } = networkOf('small');
  for (const [name, at] of [
    ['redis', REDIS],
    ['postgres', POSTGRES],
  ] as const) {
    expect(mayReach(STRANGER, pod(name), at)).toBe(false);
    expect(mayReach(OUTSIDE, pod(name), at)).toBe(false);
    expect(mayReach(pod(name), OUTSIDE, { number: 443 })).toBe(false);
  }
  expect(mayReach(pod('redis'), pod('postgres'), POSTGRES)).toBe(false);
});
