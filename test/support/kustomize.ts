import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { applyPatch } from './json-patch.ts';

/** A resource of Kubernetes, as far as Kustomize knows it. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Reads a resource. Without labels it has none. */
export const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
});

const literals = z.array(z.string()).default([]);

/** The part of Kustomize that Landline's files use. Anything else is an error, because this reader would pass over it. */
const kustomizationSchema = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
  replicas: z.array(z.strictObject({ name: z.string(), count: z.number() })).default([]),
  // Without it Kustomize would add a hash to the names.
  generatorOptions: z.strictObject({ disableNameSuffixHash: z.literal(true) }).optional(),
  configMapGenerator: z.array(z.strictObject({ name: z.string(), literals })).default([]),
  secretGenerator: z.array(z.strictObject({ name: z.string(), literals, files: literals })).default([]),
  patches: z
    .array(z.strictObject({ target: z.strictObject({ kind: z.string(), name: z.string() }), patch: z.string() }))
    .default([]),
});

type Kustomization = z.infer<typeof kustomizationSchema>;

/**
 * Builds a folder with a kustomization.yaml, as `kustomize build` would, from the features that Landline's files use.
 *
 * @throws Where a file uses another feature, a patch has no target, two resources have one name, or a file is missing.
 */
export function buildKustomization(folder: string): Manifest[] {
  return build(folder, []);
}

/** A component works on the resources that are `given`; a kustomization has none. */
function build(folder: string, given: readonly Manifest[]): Manifest[] {
  const file = join(folder, 'kustomization.yaml');
  const kustomization = kustomizationSchema.parse(parse(readFileSync(file, 'utf8')));
  const own = kustomization.resources.flatMap((resource) => readResource(join(folder, resource)));
  const withComponents = kustomization.components.reduce(
    (resources, component) => build(join(folder, component), resources),
    [...given, ...own],
  );
  const all = [...withComponents, ...generate(folder, kustomization)];
  refuseTwins(all);
  return transform(all, kustomization);
}

function readResource(path: string): Manifest[] {
  if (statSync(path).isDirectory()) return build(path, []);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => manifestSchema.parse(document.toJS()));
}

function refuseTwins(resources: readonly Manifest[]): void {
  const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const twin = names.find((name, i) => names.indexOf(name) !== i);
  if (twin !== undefined) throw new Error(`Two resources are called ${twin}`);
}

function generate(folder: string, { configMapGenerator, secretGenerator, ...rest }: Kustomization): Manifest[] {
  const isNamed = rest.generatorOptions?.disableNameSuffixHash === true;
  if (!isNamed && configMapGenerator.length + secretGenerator.length > 0) {
    throw new Error(`${folder}: disableNameSuffixHash is not set`);
  }
  const configMaps = configMapGenerator.map(({ name, literals: pairs }) => ({
    ...headOf('ConfigMap', name),
    data: Object.fromEntries(pairs.map(splitPair)),
  }));
  const secrets = secretGenerator.map(({ name, literals: pairs, files }) => {
    const read = files.map(splitPair).map(([key, path]) => [key, readFileSync(join(folder, path))] as const);
    const written = pairs.map(splitPair).map(([key, text]) => [key, Buffer.from(text)] as const);
    const data = Object.fromEntries([...written, ...read].map(([key, bytes]) => [key, bytes.toString('base64')]));
    return { ...headOf('Secret', name), type: 'Opaque', data };
  });
  return [...configMaps, ...secrets];
}

function headOf(kind: string, name: string) {
  return { apiVersion: 'v1', kind, metadata: { name, labels: {} } };
}

function splitPair(pair: string): [key: string, value: string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new Error(`Not key=value: ${pair}`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Applies patches, then the rest, as Kustomize does. */
function transform(
  resources: readonly Manifest[],
  { namespace, images, replicas, patches }: Kustomization,
): Manifest[] {
  const patched = patches.reduce<readonly Manifest[]>(
    (all, { target, patch }) => patchOne(all, target, patch),
    resources,
  );
  const counted = replicas.reduce(setReplicas, patched);
  return counted.map((resource) => {
    const placed = namespace === undefined || resource.kind === 'Namespace' ? {} : { namespace };
    const named = { ...resource, metadata: { ...resource.metadata, ...placed } };
    return manifestSchema.parse(renameImages(named, images));
  });
}

function patchOne(resources: readonly Manifest[], target: { kind: string; name: string }, patch: string): Manifest[] {
  const isTarget = ({ kind, metadata }: Manifest) => kind === target.kind && metadata.name === target.name;
  return replaceOne(resources, isTarget, (resource) => applyPatch(resource, parse(patch)));
}

function setReplicas(resources: readonly Manifest[], { name, count }: Kustomization['replicas'][number]): Manifest[] {
  const hasReplicas = ({ kind, metadata }: Manifest) =>
    ['Deployment', 'StatefulSet'].includes(kind) && metadata.name === name;
  return replaceOne(resources, hasReplicas, (resource) =>
    applyPatch(resource, [{ op: 'add', path: '/spec/replicas', value: count }]),
  );
}

/** Kustomize passes over a patch without a target; here it is an error. */
function replaceOne(
  resources: readonly Manifest[],
  isMeant: (resource: Manifest) => boolean,
  change: (resource: Manifest) => unknown,
): Manifest[] {
  if (resources.filter(isMeant).length !== 1)
    throw new Error('A change of kustomization.yaml does not have one target');
  return resources.map((resource) => (isMeant(resource) ? manifestSchema.parse(change(resource)) : resource));
}

/** Replaces the images of containers, wherever they stand in a resource. */
function renameImages(value: unknown, images: Kustomization['images']): unknown {
  if (Array.isArray(value)) return value.map((each) => renameImages(each, images));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const found = key === 'image' ? images.find(({ name }) => name === each) : undefined;
      return [key, found === undefined ? renameImages(each, images) : `${found.newName}:${found.newTag}`];
    }),
  );
}
