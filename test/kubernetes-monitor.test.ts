import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { APPS } from '../apps/cli/src/start/apps.ts';
import { environmentOf, readCompose, serviceOf } from './support/compose.ts';
import { faultsOf } from './support/kubernetes-schemas.ts';
import { buildKustomization } from './support/kustomize.ts';
import { judgeOf, type End } from './support/network-policies.ts';
import { anOverlay, OVERLAYS } from './support/overlay.ts';
import { containerOf, workloadOf } from './support/workloads.ts';

const aPod = (labels: Record<string, string>, ports: Record<string, number> = {}): End => ({
  labels,
  ports,
  namespace: { name: 'landline', labels: {} },
});

test.each(OVERLAYS)('the component monitor makes manifests that the API takes, over %s', async (overlay) => {
  const { folder } = anOverlay(overlay);
  const file = join(folder, 'kustomization.yaml');
  const { components = [], ...rest } = z
    .looseObject({ components: z.array(z.string()).optional() })
    .parse(parse(await readFile(file, 'utf8')));
  await writeFile(file, JSON.stringify({ ...rest, components: [...components, '../../components/monitor'] }));
  const manifests = buildKustomization(folder);
  expect((await Promise.all(manifests.map(faultsOf))).flat()).toEqual([]);

  const { command, env, image } = containerOf(manifests, 'monitor');
  expect(command).toEqual(['node', 'apps/monitor/dist/main.js']);
  expect(image).toBe(containerOf(manifests, 'worker').image);
  const known = APPS.find(({ name }) => name === 'monitor')?.variables ?? [];
  const names = env.map(({ name }) => name);
  expect(names.map((name) => name.replace(/_FILE$/, '')).filter((name) => ![...known, 'HOST'].includes(name))).toEqual(
    [],
  );
  const compose = environmentOf(serviceOf(readCompose(), 'monitor'), {});
  const set = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  for (const name of ['MONITOR', 'MONITOR_PORT', 'HOST']) expect(set[name]).toBe(compose[name]);

  const { labels } = workloadOf(manifests, 'monitor').spec.template.metadata;
  const receiver = aPod(workloadOf(manifests, 'receiver').spec.template.metadata.labels, { http: 3000 });
  const { mayReach } = judgeOf(manifests, 'landline');
  expect(mayReach(aPod(labels), receiver, { number: 3000 })).toBe(true);
  expect(mayReach(aPod(labels), {}, { number: 443 })).toBe(true);
  for (const number of [5432, 6379, 80]) expect(mayReach(aPod(labels), {}, { number })).toBe(false);
});
