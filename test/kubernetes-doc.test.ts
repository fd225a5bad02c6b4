import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { INITIATION_PATH } from '../apps/initiation/src/initiation-route.ts';
import { faultsOf } from './support/kubernetes-schemas.ts';
import type { Manifest } from './support/kustomize.ts';
import { buildOverlay, OVERLAYS } from './support/overlay.ts';
import { WEBHOOK_PATH } from './support/post.ts';
import { ROOT } from './support/root.ts';
import { ofKind, workloadsOf } from './support/workloads.ts';

const text = readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8');
const overlays = OVERLAYS.map((name) => buildOverlay(name));
const all: readonly Manifest[] = overlays.flat();

/** Returns the blocks of code in one language. */
function blocksOf(language: string): string[] {
  return [...text.matchAll(/^ *```(\w+)\n([^]*?)^ *```$/gm)].flatMap(([, name, block = '']) =>
    name === language ? [block] : [],
  );
}

const commands = blocksOf('sh').flatMap((block) =>
  block
    .trim()
    .split('\n')
    .map((line) => line.trim()),
);

describe('docs/kubernetes.md', () => {
  test('its Ingress is what the API takes, and leads to Services that are there', async () => {
    const [block = ''] = blocksOf('yaml');
    const backend = z.object({
      path: z.string(),
      backend: z.object({ service: z.object({ name: z.string(), port: z.object({ name: z.string() }) }) }),
    });
    const ingress = z
      .looseObject({
        apiVersion: z.string(),
        kind: z.string(),
        metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
        spec: z.looseObject({
          rules: z.tuple([z.looseObject({ http: z.looseObject({ paths: z.array(z.looseObject(backend.shape)) }) })]),
        }),
      })
      .parse(parse(block));
    expect(await faultsOf(ingress)).toEqual([]);
    const led = ingress.spec.rules[0].http.paths.map((each) => [each.path, each.backend.service]);
    expect(led).toEqual([
      [WEBHOOK_PATH, { name: 'landline-receiver', port: { name: 'http' } }],
      [INITIATION_PATH, { name: 'landline-initiation', port: { name: 'http' } }],
    ]);
    const services = ofKind(all, 'Service').map(({ metadata }) => metadata.name);
    expect(services).toEqual(expect.arrayContaining(['landline-receiver', 'landline-initiation']));
  });

  test('its commands name files and resources that are there', () => {
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands) {
      for (const [path] of command.matchAll(/deploy\/kubernetes\/[\w/.-]+/g)) {
        // What make-secrets.sh writes is not in the repository.
        expect([path, existsSync(join(ROOT, path.replace(/\/secrets(\/.*)?$/, '')))]).toEqual([path, true]);
      }
      for (const [, kind = '', name] of command.matchAll(/\b(statefulset|deployment|service)\/([\w-]+)/g)) {
        const found = all.filter((each) => each.kind.toLowerCase() === kind && each.metadata.name === name);
        expect([kind, name, found.length > 0]).toEqual([kind, name, true]);
      }
    }
  });

  test('its image is the one that the overlay small runs', () => {
    const images = overlays
      .slice(0, 1)
      .flatMap((manifests) =>
        [...workloadsOf(manifests).values()].map(({ spec }) => spec.template.spec.containers[0].image),
      );
    for (const [, image] of commands.join('\n').matchAll(/(?:--tag|docker-image) (\S+)/g))
      expect(images).toContain(image);
  });

  test('an update takes the workers first, and all but receivers and initiations with them', () => {
    const selector = commands.flatMap((command) => /--selector '([^']+)'/.exec(command)?.[1] ?? []);
    expect(selector).toEqual(['app.kubernetes.io/component notin (receiver, initiation)']);
    const components = [...workloadsOf(all).keys()];
    expect(components).toEqual(expect.arrayContaining(['receiver', 'initiation', 'worker']));
  });

  test('its table of networks says who has which label', () => {
    const rows = [...text.matchAll(/^\| `(landline-\w+): member` \| ([^|]+) \|/gm)];
    expect(rows).toHaveLength(4);
    const monitor = readFileSync(join(ROOT, 'deploy/kubernetes/components/monitor/monitor.yaml'), 'utf8');
    const workloads = workloadsOf([...all, ...parseAllDocuments(monitor).map((each): Manifest => each.toJS())]);
    for (const [, label = '', members = ''] of rows) {
      const having = [...workloads].flatMap(([name, { spec }]) =>
        spec.template.metadata.labels[label] === 'member' ? [name] : [],
      );
      expect([label, members.split(', ').sort()]).toEqual([label, having.sort()]);
    }
  });
});
