import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readCompose, serviceOf } from './support/compose.ts';
import { buildOverlay } from './support/overlay.ts';
import { ROOT } from './support/root.ts';
import { containerOf, environmentOf, workloadOf } from './support/workloads.ts';

test('the overlay small keeps recordings on a volume of their own', () => {
  const manifests = buildOverlay('small');
  const { volumeMounts } = containerOf(manifests, 'receiver');
  const { RECORDINGS_URL = '' } = environmentOf(manifests, containerOf(manifests, 'receiver'));
  const mount = volumeMounts.find(({ mountPath }) => RECORDINGS_URL === `file:${mountPath}`);
  const { replicas, volumeClaimTemplates } = workloadOf(manifests, 'receiver').spec;
  expect(volumeClaimTemplates.map(({ metadata }) => metadata.name)).toContain(mount?.name);
  expect(replicas).toBe(1);
});

test.each([
  ['worker', 'which it removes', false],
  ['dashboard', 'which it only plays', true],
] as const)('the %s of the overlay small has the volume of the recordings, %s', (name, _, isOnlyRead) => {
  const manifests = buildOverlay('small');
  const { volumeMounts } = containerOf(manifests, name);
  const { RECORDINGS_URL = '' } = environmentOf(manifests, containerOf(manifests, name));
  const mount = volumeMounts.find(({ mountPath }) => RECORDINGS_URL === `file:${mountPath}`);
  expect(mount?.readOnly).toBe(isOnlyRead);
  const volume = workloadOf(manifests, name).spec.template.spec.volumes.find((each) => each.name === mount?.name);
  const receiver = workloadOf(manifests, 'receiver').metadata.name;
  expect(volume?.persistentVolumeClaim?.claimName).toBe(`recordings-${receiver}-0`);
});

test('Redis and Postgres of the overlay small run as those of Compose', () => {
  const manifests = buildOverlay('small');
  const compose = readCompose();
  const { command, image } = containerOf(manifests, 'redis');
  expect([image, containerOf(manifests, 'postgres').image]).toEqual(
    ['redis', 'postgres'].map((name) => z.object({ image: z.string() }).parse(composeOf(name)).image),
  );
  expect(command).toEqual([serviceOf(compose, 'redis').command].flat().map((word) => word.replaceAll('$$', '$')));
  const { POSTGRES_USER, POSTGRES_DB } = environmentOf(manifests, containerOf(manifests, 'postgres'));
  const { environment } = serviceOf(compose, 'postgres');
  expect([POSTGRES_USER, POSTGRES_DB]).toEqual([environment['POSTGRES_USER'], environment['POSTGRES_DB']]);
});

/** Returns a service of docker-compose.yml whole. */
function composeOf(name: string): unknown {
  const file = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true });
  return z.object({ services: z.record(z.string(), z.unknown()) }).parse(file).services[name];
}
