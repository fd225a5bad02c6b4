import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { APPS } from '../apps/cli/src/start/apps.ts';
import { dashboardVariables } from '../apps/dashboard/src/config.ts';
import { initiationVariables } from '../apps/initiation/src/config.ts';
import { receiverVariables } from '../apps/receiver/src/config.ts';
import { workerVariables } from '../apps/worker/src/config.ts';
import { environmentOf as composeEnvironmentOf, readCompose, serviceOf } from './support/compose.ts';
import { faultsOf } from './support/kubernetes-schemas.ts';
import type { Manifest } from './support/kustomize.ts';
import { buildOverlay, OVERLAYS } from './support/overlay.ts';
import { ROOT } from './support/root.ts';
import {
  containerOf,
  containersOf,
  dataOf,
  environmentOf,
  ofKind,
  secretFilesOf,
  workloadOf,
  workloadsOf,
} from './support/workloads.ts';

const compose = readCompose();
const VARIABLES = {
  receiver: receiverVariables,
  worker: workerVariables,
  dashboard: dashboardVariables,
  initiation: initiationVariables,
} as const;
const NAMES = ['receiver', 'worker', 'dashboard', 'initiation'] as const;
const GIBIBYTE = 1024 ** 3;

function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function gibibytes(quantity: string): number {
  return z.coerce.number().parse(/^(\d+)Gi$/.exec(quantity)?.[1]);
}

/** The spec of a Deployment whose pods have this spec. */
const specOf = (spec: object) => ({
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: { labels: { a: 'b' } }, spec },
});

describe('the check against the API', () => {
  const name = 'landline-worker';
  const head = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels: {} } };
  const podSpec = { containers: [{ name: 'worker' }] };

  test.each([
    ['nothing', specOf(podSpec), []],
    ['a field that is missing', { template: { spec: podSpec } }, [expect.stringContaining('selector')]],
    ['a field of a wrong type', { ...specOf(podSpec), replicas: 'two' }, [expect.stringContaining('replicas')]],
    [
      'a field with a typing error',
      specOf({ ...podSpec, enableServiceLink: false }),
      ['unknown field: /spec/template/spec/enableServiceLink'],
    ],
    [
      'the same in a list',
      specOf({ containers: [{ name: 'worker', img: 'x' }] }),
      ['unknown field: /spec/template/spec/containers/0/img'],
    ],
  ])('finds %s', async (_what, spec, faults) => {
    expect(await faultsOf({ ...head, spec })).toEqual(faults);
  });

  test('knows no kind that is not there', async () => {
    await expect(faultsOf({ ...head, kind: 'Deploiment' })).rejects.toThrow('Deploiment');
  });
});

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  const manifests = buildOverlay(overlay);
  const titled = manifests.map((manifest): [string, Manifest] => [
    `${manifest.kind} ${manifest.metadata.name}`,
    manifest,
  ]);
  const workloads = [...workloadsOf(manifests)];

  test.each(titled)('%s is what the API takes', async (_title, manifest) => {
    expect(await faultsOf(manifest)).toEqual([]);
  });

  test('everything is in the namespace landline, whose pods have no more rights than they ask for', () => {
    const outside = manifests.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'landline');
    expect(outside).toEqual([]);
    expect(ofKind(manifests, 'Namespace').map(({ metadata: { name, labels } }) => ({ name, labels }))).toEqual([
      { name: 'landline', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    ]);
  });

  test.each(workloads)(
    '%s runs as nobody in particular, writes to its volumes alone, and has no other right',
    (name, workload) => {
      const { spec } = workload.spec.template;
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const { securityContext, resources, volumeMounts } of containersOf(workload)) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(resources.requests)).toEqual(['cpu', 'memory']);
        // As in Compose. Redis takes its share of the limit.
        expect(Object.keys(resources.limits)).toEqual(name === 'redis' ? ['memory'] : []);
        const volumes = new Map(spec.volumes.map((volume) => [volume.name, volume]));
        for (const { name: mounted, readOnly } of volumeMounts) {
          const isOnlyRead =
            volumes.get(mounted)?.secret !== undefined || `${name} ${mounted}` === 'dashboard recordings';
          expect([mounted, readOnly]).toEqual([mounted, isOnlyRead]);
          const isClaimed = workload.spec.volumeClaimTemplates.some(({ metadata }) => metadata.name === mounted);
          expect(volumes.has(mounted) || isClaimed).toBe(true);
        }
      }
      const mounted = containersOf(workload).flatMap(({ volumeMounts }) => volumeMounts.map((mount) => mount.name));
      expect(spec.volumes.map((volume) => volume.name).filter((volume) => !mounted.includes(volume))).toEqual([]);
    },
  );

  test.each(NAMES)('%s runs as npm start runs it, in the image of this version', (name) => {
    const { command, image } = containerOf(manifests, name);
    const nodeOptions = APPS.find((app) => app.name === name)?.nodeOptions ?? [];
    expect(command).toEqual(['node', ...nodeOptions, `apps/${name}/dist/main.js`]);
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(readText('package.json')));
    expect(image).toMatch(new RegExp(`(^|/)landline:${version.replaceAll('.', String.raw`\.`)}$`));
    expect(parse(readText('docker-compose.yml'), { merge: true })).toMatchObject({
      services: { [name]: { image: 'landline' } },
    });
  });

  test.each(NAMES)('%s has variables that its process knows, and each secret as a file that is there', (name) => {
    const shape: Readonly<Record<string, z.ZodType>> = VARIABLES[name].shape;
    const isSecret = (variable: string) => shape[variable]?.meta()?.['secret'] === true;
    const container = containerOf(manifests, name);
    const files = secretFilesOf(manifests, workloadOf(manifests, name), container);
    const variables = Object.entries(environmentOf(manifests, container));
    // The library for S3 reads it.
    const unread = name === 'initiation' ? [] : ['AWS_SHARED_CREDENTIALS_FILE'];
    // Nobody must have a key of the provider: it is empty until somebody writes it, and the file of a secret may not be empty.
    const byReference = ['ELEVENLABS_API_KEY'];
    for (const [variable, value] of variables.filter(([each]) => ![...unread, ...byReference].includes(each))) {
      const secret = variable.replace(/_FILE$/, '');
      const isFile = variable.endsWith('_FILE');
      // A secret comes as a file that is there, and nothing else does.
      expect([variable, secret in shape, isSecret(secret), value in files]).toEqual([variable, true, isFile, isFile]);
    }
    // No more secrets than it reads.
    expect(Object.keys(files).filter((path) => !variables.some(([, value]) => value === path))).toEqual([]);
    const values = Object.fromEntries(
      variables.flatMap(([variable, value]) => {
        if (value === '') return [];
        return [variable in shape ? [variable, value] : [variable.replace(/_FILE$/, ''), files[value]]];
      }),
    );
    expect(VARIABLES[name].safeParse(values).error).toBeUndefined();
  });

  test.each(NAMES)('%s listens on the ports that are named, for all of its network', (name) => {
    const container = containerOf(manifests, name);
    const ports = Object.fromEntries(container.ports.map((port) => [port.name, String(port.containerPort)]));
    const env = environmentOf(manifests, container);
    const { portVariable, healthPort } = APPS.find((app) => app.name === name) ?? {};
    const wanted = [env[portVariable ?? ''], ...(healthPort === undefined ? [] : [env[healthPort.variable]])];
    expect(Object.values(ports)).toEqual(wanted);
    expect(env['HOST']).toBe('0.0.0.0');
    expect(env['HEALTH_HOST']).toBe(healthPort === undefined ? undefined : '0.0.0.0');
    const service = composeEnvironmentOf(serviceOf(compose, name), { POSTGRES_PASSWORD: 'x', DASHBOARD_PASSWORD: 'x' });
    for (const [variable, value] of Object.entries(env).filter(([each]) => /(^|_)(PORT|HOST)$/.test(each))) {
      expect([variable, value]).toEqual([variable, service[variable]]);
    }
  });

  test('only who must log in has the file to do it', () => {
    const mounted = workloads.flatMap(([, workload]) =>
      containersOf(workload).map(({ name, ...container }): [string, string[]] => [
        name,
        Object.keys(secretFilesOf(manifests, workload, { name, ...container })).map((path) =>
          path.replace('/run/secrets/landline/', ''),
        ),
      ]),
    );
    const inCluster = (path: string) => (overlay === 'cluster' ? [path] : []);
    const storage = inCluster('storage/credentials');
    const expected = {
      receiver: ['webhook/secret', 'redis/url', ...storage],
      migrate: ['owner/url'],
      worker: ['worker/url', 'redis/url', 'webhook/secret', ...storage],
      initiation: ['initiation/token', 'reader/url', 'redis/url'],
      // Of its own, so that its key may do less.
      dashboard: [
        'dashboard/password',
        'dashboard/token',
        'reader/url',
        'redis/url',
        ...inCluster('dashboard-storage/credentials'),
      ],
      ...(overlay === 'small' && {
        roles: ['roles/owner', 'roles/worker', 'roles/reader', 'postgres/password'],
        redis: [],
        postgres: ['postgres/password'],
      }),
    };
    expect(Object.fromEntries(mounted)).toEqual(expected);
  });

  test('each Secret is where its name says, and has the login of that role', () => {
    for (const [, workload] of workloads) {
      const { volumes } = workload.spec.template.spec;
      for (const { name, secret } of volumes.filter((volume) => volume.secret !== undefined)) {
        const mounts = containersOf(workload).flatMap(({ volumeMounts }) =>
          volumeMounts.filter((mount) => mount.name === name),
        );
        const folder = `/run/secrets/landline/${secret?.secretName.replace(/^landline-/, '')}`;
        expect(new Set(mounts.map(({ mountPath }) => mountPath))).toEqual(new Set([folder]));
      }
    }
    for (const role of ['owner', 'worker', 'reader']) {
      const { url = '' } = dataOf(manifests, 'Secret', `landline-${role}`);
      expect(new URL(url).username).toBe(`landline_${role}`);
    }
  });

  test('the tables are brought up to date as their owner before a worker starts', () => {
    const { initContainers } = workloadOf(manifests, 'worker').spec.template.spec;
    expect(initContainers.map(({ name }) => name)).toEqual(overlay === 'small' ? ['roles', 'migrate'] : ['migrate']);
    const migrate = initContainers.at(-1);
    expect(migrate?.command).toEqual(serviceOf(compose, 'migrate').command);
    expect(migrate?.env).toEqual([{ name: 'DIRECT_URL_FILE', value: '/run/secrets/landline/owner/url' }]);
  });

  test('journal and spool are on a volume of each receiver, with room for both and for what they leave free', () => {
    const { spec } = workloadOf(manifests, 'receiver');
    const { volumeMounts } = containerOf(manifests, 'receiver');
    const { JOURNAL_DIR = '', SPOOL_DIR = '' } = environmentOf(manifests, containerOf(manifests, 'receiver'));
    const mount = volumeMounts.find(({ name }) => name === 'data');
    expect([JOURNAL_DIR, SPOOL_DIR].map((path) => path.replace(/\/\w+$/, ''))).toEqual([
      mount?.mountPath,
      mount?.mountPath,
    ]);
    const claim = spec.volumeClaimTemplates.find(({ metadata }) => metadata.name === 'data');
    expect(claim?.spec.accessModes).toEqual(['ReadWriteOnce']);
    const limits = ['JOURNAL_LIMIT_BYTES', 'SPOOL_LIMIT_BYTES'] as const;
    const sum = limits.reduce((total, name) => total + receiverVariables.shape[name].parse(undefined), 0);
    expect(gibibytes(claim?.spec.resources.requests.storage ?? '')).toBeGreaterThanOrEqual((sum / GIBIBYTE) * 1.1 + 1);
    expect(ofKind(manifests, 'StatefulSet').map(({ spec: each }) => each)).toContainEqual(
      expect.objectContaining({
        serviceName: 'landline-receivers',
        podManagementPolicy: 'Parallel',
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      }),
    );
  });
});
