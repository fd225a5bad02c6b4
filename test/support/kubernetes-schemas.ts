import { z } from 'zod';
import type { Manifest } from './kustomize.ts';

/** What a class of kubernetes-models can do: check itself against the API's schema; it throws what is wrong. */
interface Model {
  validate(): void;
}

const classSchema = z.custom<new (data: object) => Model>((value) => typeof value === 'function');

/** The package that has the schemas of an API group; those of Kubernetes itself by default. */
const PACKAGES: Readonly<Record<string, string>> = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/**
 * Returns what the API server would refuse in a manifest, and each field that it would not know; empty where all is well.
 *
 * The schemas let unknown fields pass. But a validator reads each field that it knows, so a field that was never read is unknown.
 */
export async function faultsOf(manifest: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest;
  const [group = ''] = apiVersion.split('/');
  const module: unknown = await import(`${PACKAGES[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`);
  const Class = classSchema.parse(z.looseObject({}).parse(module)[kind]);
  const unread = new Set<string>();
  const read = watchFields(new Class(manifest), '', unread);
  try {
    read.validate();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [...unread].map((path) => `unknown field: ${path}`);
}

/** Wraps a value. `unread` holds the path of each field in it, until the field is read. */
function watchFields<T extends object>(value: T, path: string, unread: Set<string>): T {
  const isList = Array.isArray(value);
  const pathOf = (key: string) => `${path}/${key}`;
  if (!isList) for (const key of Object.keys(value)) unread.add(pathOf(key));
  const wrapped = new Map<string, unknown>();
  return new Proxy(value, {
    get(target, key, receiver) {
      const field: unknown = Reflect.get(target, key, receiver);
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return field;
      unread.delete(pathOf(key));
      if (typeof field !== 'object' || field === null) return field;
      if (!wrapped.has(key)) wrapped.set(key, watchFields(field, pathOf(key), unread));
      return wrapped.get(key);
    },
  });
}
