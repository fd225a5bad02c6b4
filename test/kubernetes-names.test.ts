import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { APPS } from '../apps/cli/src/start/apps.ts';
import { readCompose, serviceOf } from './support/compose.ts';
import type { Manifest } from './support/kustomize.ts';
import { buildOverlay, OVERLAYS } from './support/overlay.ts';
import { ROOT } from './support/root.ts';
import {
  containerOf,
  dataOf,
  environmentOf,
  ofKind,
  workloadOf,
  workloadsOf,
  type Workload,
} from './support/workloads.ts';

const selector = z.record(z.string(), z.string());
const service = z.object({
  spec: z.object({
    selector,
    ports: z.array(z.strictObject({ name: z.string(), port: z.number(), targetPort: z.string() })),
  }),
});
const budget = z.object({
  spec: z.object({ maxUnavailable: z.number(), selector: z.object({ matchLabels: selector }) }),
});
const key = z.strictObject({ name: z.string(), key: z.string() });
const monitor = z.object({
  spec: z.object({
    jobLabel: z.string(),
    selector: z.object({
      matchLabels: selector,
      matchExpressions: z.array(z.object({ key: z.string(), values: z.array(z.string()) })).default([]),
    }),
    // Without a path: then it is /metrics.
    endpoints: z.array(
      z.strictObject({
        port: z.string(),
        interval: z.string(),
        basicAuth: z.strictObject({ username: key, password: key }).optional(),
      }),
    ),
  }),
});

/** Returns the path of an app's readiness. */
function ready(name: string): string | undefined {
  return APPS.find((app) => app.name === name)?.ready.path;
}

function isSelected(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function componentsOf(workloads: ReadonlyMap<string, Workload>, wanted: Readonly<Record<string, string>>): string[] {
  return [...workloads].flatMap(([name, { spec }]) =>
    isSelected(spec.template.metadata.labels, wanted) ? [name] : [],
  );
}

function seconds(period: string): number {
  return Number(period.replace(/s$/, ''));
}

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  const manifests = buildOverlay(overlay);
  const workloads = workloadsOf(manifests);
  const servers = overlay === 'small' ? ['postgres', 'redis'] : [];

  test('has the processes of Compose, and of Redis and Postgres those that you do not bring', () => {
    expect([...workloads.keys()].sort()).toEqual(['dashboard', 'initiation', 'receiver', 'worker', ...servers].sort());
  });

  test('each workload selects its own pods alone', () => {
    for (const [name, { spec }] of workloads)
      expect(componentsOf(workloads, spec.selector.matchLabels)).toEqual([name]);
  });

  test('each Service leads to a named port of one workload', () => {
    const led = ofKind(manifests, 'Service').flatMap((manifest) => {
      const { spec } = service.parse(manifest);
      const [component = '', ...others] = componentsOf(workloads, spec.selector);
      expect(others).toEqual([]);
      const { ports } = containerOf(manifests, component);
      return spec.ports.map(({ port, targetPort }) => [
        `${manifest.metadata.name}:${port}`,
        component,
        ports.find(({ name }) => name === targetPort)?.containerPort,
      ]);
    });
    const own = [
      ['landline-receiver:80', 'receiver', 3000],
      ['landline-receivers:3004', 'receiver', 3004],
      ['landline-workers:3002', 'worker', 3002],
      ['landline-initiation:80', 'initiation', 3003],
      ['landline-dashboard:80', 'dashboard', 3001],
    ];
    const ofServers = [
      ['landline-redis:6379', 'redis', 6379],
      ['landline-postgres:5432', 'postgres', 5432],
    ];
    expect(new Set(led)).toEqual(new Set([...own, ...(overlay === 'small' ? ofServers : [])]));
    expect(led).toHaveLength(own.length + servers.length);
    const names = ofKind(manifests, 'Service').map(({ metadata }) => metadata.name);
    expect(names).toEqual(
      expect.arrayContaining([...workloads.values()].flatMap(({ spec }) => spec.serviceName ?? [])),
    );
  });

  test('the probes ask what the processes answer', () => {
    const asked = (name: string) => {
      const { startupProbe, livenessProbe, readinessProbe } = containerOf(manifests, name);
      return [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet ?? probe?.tcpSocket);
    };
    const live = '/health/live';
    expect(asked('receiver')).toEqual([
      { path: live, port: 'metrics' },
      { path: live, port: 'metrics' },
      { path: ready('receiver'), port: 'http' },
    ]);
    expect(asked('worker')).toEqual([
      { path: live, port: 'metrics' },
      { path: live, port: 'metrics' },
      { path: ready('worker'), port: 'metrics' },
    ]);
    expect(asked('initiation')).toEqual([
      { path: live, port: 'http' },
      { path: live, port: 'http' },
      { path: ready('initiation'), port: 'http' },
    ]);
    expect(asked('dashboard')).toEqual([{ port: 'http' }, { port: 'http' }, { port: 'http' }]);
    // A balancer should ask every second or two.
    expect(containerOf(manifests, 'receiver').readinessProbe?.periodSeconds).toBe(2);
  });

  test('each process has the time to stop that it takes, ten seconds and what it waits before', () => {
    const compose = readCompose();
    const periodOf = (name: string) => workloadOf(manifests, name).spec.template.spec.terminationGracePeriodSeconds;
    for (const name of ['receiver', 'worker', 'dashboard', ...(overlay === 'small' ? ['redis'] : [])]) {
      expect([name, periodOf(name)]).toEqual([name, seconds(serviceOf(compose, name).stop_grace_period)]);
    }
    const { DRAIN_SECONDS } = environmentOf(manifests, containerOf(manifests, 'receiver'));
    expect(Number(DRAIN_SECONDS)).toBeGreaterThanOrEqual(10);
    expect(periodOf('receiver')).toBeGreaterThan(Number(DRAIN_SECONDS) + 10);
    const [program, wait] = containerOf(manifests, 'initiation').lifecycle?.preStop.exec?.command ?? [];
    expect([program, wait]).toEqual(['sleep', DRAIN_SECONDS]);
    expect(periodOf('initiation')).toBeGreaterThan(Number(wait) + 10);
  });

  test('an eviction takes one pod at a time of receivers, workers and initiations', () => {
    const kept = ofKind(manifests, 'PodDisruptionBudget').flatMap((manifest) => {
      const { spec } = budget.parse(manifest);
      expect(spec.maxUnavailable).toBe(1);
      return componentsOf(workloads, spec.selector.matchLabels);
    });
    expect(kept.sort()).toEqual(['initiation', 'receiver', 'worker']);
  });
});

describe('the overlay cluster', () => {
  const manifests = buildOverlay('cluster');
  const workloads = workloadsOf(manifests);

  /** The Services that a ServiceMonitor finds, by their component. */
  function found({ spec }: z.infer<typeof monitor>): Manifest[] {
    return ofKind(manifests, 'Service').filter(({ metadata: { labels } }) => {
      const { matchLabels, matchExpressions } = spec.selector;
      return (
        isSelected(labels, matchLabels) &&
        matchExpressions.every(({ key: label, values }) => values.includes(labels[label] ?? ''))
      );
    });
  }

  test('Prometheus scrapes each process once, at the port that has its metrics, as a job that the alerts know', () => {
    const scraped = ofKind(manifests, 'ServiceMonitor').flatMap((manifest) => {
      const read = monitor.parse(manifest);
      return found(read).flatMap(({ metadata, ...rest }) => {
        const { spec } = service.parse(rest);
        const jobs = metadata.labels[read.spec.jobLabel];
        return read.spec.endpoints.flatMap(({ port, basicAuth }) =>
          spec.ports
            .filter(({ name }) => name === port)
            .map(({ targetPort }) => [
              jobs,
              componentsOf(workloads, spec.selector)[0],
              targetPort,
              basicAuth !== undefined,
            ]),
        );
      });
    });
    expect(scraped).toHaveLength(4);
    expect(new Set(scraped)).toEqual(
      new Set([
        ['landline', 'dashboard', 'http', true],
        ['landline', 'initiation', 'http', false],
        ['landline', 'receiver', 'metrics', false],
        ['landline', 'worker', 'metrics', false],
      ]),
    );
    // Alerts select processes by this label.
    expect(readFileSync(join(ROOT, 'monitoring/alerts.yml'), 'utf8')).toContain('job=~"landline.*"');
  });

  test('Prometheus logs in to the dashboard as the dashboard lets it', () => {
    const [login] = ofKind(manifests, 'ServiceMonitor').flatMap((manifest) =>
      monitor.parse(manifest).spec.endpoints.flatMap(({ basicAuth }) => basicAuth ?? []),
    );
    const read = (ref: z.infer<typeof key> | undefined) => dataOf(manifests, 'Secret', ref?.name ?? '')[ref?.key ?? ''];
    const env = environmentOf(manifests, containerOf(manifests, 'dashboard'));
    expect(read(login?.username)).toBe(env['DASHBOARD_USER']);
    expect(env['DASHBOARD_PASSWORD_FILE']).toMatch(new RegExp(`/${login?.password.key}$`));
    expect(read(login?.password)?.length).toBeGreaterThanOrEqual(12);
  });

  test('the alerts are those of monitoring/alerts.yml: node tools/write-prometheus-rule.mjs writes them', () => {
    const [rule] = ofKind(manifests, 'PrometheusRule');
    expect(rule?.['spec']).toEqual(parse(readFileSync(join(ROOT, 'monitoring/alerts.yml'), 'utf8')));
  });

  test('there are several receivers and initiations, and as many workers as KEDA says', () => {
    const replicas = [...workloads].map(([name, { spec }]) => [name, spec.replicas]);
    expect(Object.fromEntries(replicas)).toEqual({ receiver: 3, worker: undefined, initiation: 2, dashboard: 1 });
    const [scaled] = ofKind(manifests, 'ScaledObject');
    expect(scaled?.['spec']).toMatchObject({ scaleTargetRef: { name: workloadOf(manifests, 'worker').metadata.name } });
  });

  test('several receivers keep recordings where all of them can be read', () => {
    expect(dataOf(manifests, 'ConfigMap', 'landline-receiver')['RECORDINGS_URL']).toMatch(/^s3:/);
  });
});
