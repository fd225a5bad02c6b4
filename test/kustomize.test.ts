import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { applyPatch } from './support/json-patch.ts';
import { buildKustomization, manifestSchema, type Manifest } from './support/kustomize.ts';
import { anOverlay, OVERLAYS } from './support/overlay.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const hasKubectl = spawnSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' }).status === 0;

/** Returns resources by their names: Kustomize has an order of its own. */
function byName(manifests: readonly Manifest[]): Record<string, Manifest> {
  return Object.fromEntries(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]));
}

/** Kustomize breaks the base64 of long secrets into lines. */
function withoutBreaks(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  const data = z.record(z.string(), z.string()).parse(manifest['data']);
  const joined = Object.entries(data).map(([key, base64]) => [key, base64.replaceAll(/\s/g, '')]);
  return { ...manifest, data: Object.fromEntries(joined) };
}

/** Makes a folder with these files. */
async function aFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await makeTempFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const head = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`;

const patchOf = (kind: string, patch: string) =>
  `patches: [{ target: { kind: ${kind}, name: a }, patch: '${patch}' }]\n`;

const add = (path: string, value: unknown) => ({ op: 'add', path, value });
const read = (folder: string, name: string) => readFileSync(join(folder, 'secrets', name), 'utf8');

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  // Kustomize is on few machines; where it is, it says whether this reader of ours reads as it does.
  test.runIf(hasKubectl)('kustomize itself makes the same of it', () => {
    const { folder } = anOverlay(overlay);
    const text = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    const theirs = parseAllDocuments(text).map((document) => withoutBreaks(manifestSchema.parse(document.toJS())));
    expect(byName(buildKustomization(folder))).toEqual(byName(theirs));
  });
});

describe('the reader of kustomizations', () => {
  test.each([
    ['a feature that it does not know', `${head}namePrefix: x-\n`, 'namePrefix'],
    ['a file that is not there', `${head}resources: [missing.yaml]\n`, 'missing.yaml'],
    ['two resources of one name', `${head}resources: [a.yaml, a.yaml]\n`, 'Two resources are called ConfigMap a'],
    ['a patch without a target', `${head}resources: [a.yaml]\n${patchOf('Pod', '[]')}`, 'does not have one target'],
    [
      'a patch that leads nowhere',
      `${head}resources: [a.yaml]\n${patchOf('ConfigMap', '[{ op: add, path: /data/x, value: y }]')}`,
      'leads nowhere at "data"',
    ],
    [
      'a generator that would add a hash',
      `${head}configMapGenerator: [{ name: x, literals: [a=b] }]\n`,
      'disableNameSuffixHash',
    ],
  ])('refuses %s', async (_what, text, message) => {
    const folder = await aFolder({ 'kustomization.yaml': text, 'a.yaml': map('a') });
    expect(() => buildKustomization(folder)).toThrow(message);
  });

  test('adds to objects and to lists, at a place and at the end', () => {
    const document = { list: [{ a: 1 }, { a: 2 }] };
    expect(applyPatch(document, [add('/list/0', 'x'), add('/list/-', 'y'), add('/list/1/b~1c', 3)])).toEqual({
      list: ['x', { a: 1, 'b/c': 3 }, { a: 2 }, 'y'],
    });
    expect(document).toEqual({ list: [{ a: 1 }, { a: 2 }] });
    for (const path of ['/list/3', '/list/x', '/none/a'])
      expect(() => applyPatch(document, [add(path, 1)])).toThrow('leads nowhere');
    expect(() => applyPatch(document, [{ op: 'remove', path: '/list' }])).toThrow('expected \\"add\\"');
  });
});

describe('make-secrets.sh', () => {
  test('makes every secret of the overlay small, for its owner alone, and keeps it at the next call', () => {
    const { folder, output } = anOverlay('small');
    const files = output
      .trim()
      .split('\n')
      .map((line) => line.replace('Made ', ''));
    expect(files).toHaveLength(13);
    for (const file of files) expect([file, statSync(file).mode & 0o077]).toEqual([file, 0]);
    expect(read(folder, 'webhook-secret')).toMatch(/^wsec_[0-9a-f]{64}$/);
    for (const file of ['dashboard-password', 'api-token']) expect(read(folder, file)).toMatch(/^[0-9a-f]{48}$/);
    expect(read(folder, 'worker/url')).toBe(
      `postgresql://landline_worker:${read(folder, 'worker/password')}@landline-postgres:5432/landline`,
    );
    const before = read(folder, 'webhook-secret');
    expect(execFileSync('sh', [join(folder, '../../make-secrets.sh'), 'small'], { encoding: 'utf8' })).toBe('');
    expect(read(folder, 'webhook-secret')).toBe(before);
  });

  test('names the secrets of the overlay cluster that a person brings', () => {
    const { folder, output } = anOverlay('cluster');
    const missing = [...output.matchAll(/^Missing: .*\/secrets\/(\S+)\. /gm)].map(([, name]) => name);
    expect(missing).toEqual(['redis-url', 'owner/url', 'worker/url', 'reader/url']);
    expect(existsSync(join(folder, 'secrets', 'postgres-password'))).toBe(false);
  });

  test('does nothing for another overlay', () => {
    const { folder } = anOverlay('small');
    const { status, stderr } = spawnSync('sh', [join(folder, '../../make-secrets.sh'), 'large'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('small|cluster')]);
  });
});
