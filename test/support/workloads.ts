import { z } from 'zod';
import type { Manifest } from './kustomize.ts';

const named = z.looseObject({ name: z.string() });
const probe = z.looseObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }).optional(),
  tcpSocket: z.strictObject({ port: z.string() }).optional(),
  exec: z.strictObject({ command: z.array(z.string()) }).optional(),
  periodSeconds: z.number(),
});

const optionalKeyOf = z.strictObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() });

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  env: z
    .array(
      z.strictObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .strictObject({ secretKeyRef: optionalKeyOf.optional(), configMapKeyRef: optionalKeyOf.optional() })
          .optional(),
      }),
    )
    .default([]),
  envFrom: z.array(z.strictObject({ configMapRef: z.strictObject({ name: z.string() }) })).default([]),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.number() })).default([]),
  lifecycle: z.looseObject({ preStop: probe.pick({ exec: true }) }).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z.looseObject({
    requests: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.string()).default({}),
  }),
  securityContext: z.looseObject({}),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }),
  ),
});

const volume = z.strictObject({
  name: z.string(),
  emptyDir: z.looseObject({ sizeLimit: z.string() }).optional(),
  secret: z
    .strictObject({
      secretName: z.string(),
      defaultMode: z.number(),
      items: z.array(z.strictObject({ key: z.string(), path: z.string() })).optional(),
    })
    .optional(),
  persistentVolumeClaim: z.strictObject({ claimName: z.string() }).optional(),
});

const workloadSchema = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number().optional(),
    serviceName: z.string().optional(),
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        automountServiceAccountToken: z.boolean(),
        enableServiceLinks: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.looseObject({}),
        initContainers: z.array(container).default([]),
        containers: z.tuple([container]),
        volumes: z.array(volume),
      }),
    }),
    volumeClaimTemplates: z
      .array(
        z.object({
          metadata: named,
          spec: z.object({
            accessModes: z.array(z.string()),
            resources: z.object({ requests: z.object({ storage: z.string() }) }),
          }),
        }),
      )
      .default([]),
  }),
});

/** A Deployment or StatefulSet, as far as the tests read it. Each has one container beside its init containers. */
export type Workload = z.infer<typeof workloadSchema>;

/** A container of a workload. */
export type Container = z.infer<typeof container>;

/** Returns the resources of one kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

/** Returns the workloads by their component, such as `receiver`. */
export function workloadsOf(manifests: readonly Manifest[]): Map<string, Workload> {
  const found = ['Deployment', 'StatefulSet'].flatMap((kind) => ofKind(manifests, kind));
  return new Map(
    found.map((manifest) => {
      const workload = workloadSchema.parse(manifest);
      return [workload.spec.template.metadata.labels['app.kubernetes.io/component'] ?? '', workload];
    }),
  );
}

/** Returns the workload of a component; throws where there is none. */
export function workloadOf(manifests: readonly Manifest[], component: string): Workload {
  const found = workloadsOf(manifests).get(component);
  if (found === undefined) throw new Error(`There is no workload ${component}`);
  return found;
}

/** Returns the container that stays. */
export function containerOf(manifests: readonly Manifest[], component: string): Container {
  return workloadOf(manifests, component).spec.template.spec.containers[0];
}

/** Returns all containers of a workload, those that run first included. */
export function containersOf({ spec }: Workload): Container[] {
  return [...spec.template.spec.initContainers, ...spec.template.spec.containers];
}

const data = z.record(z.string(), z.string());

/** Returns the values of a ConfigMap or a Secret, as text; throws where there is none. */
export function dataOf(
  manifests: readonly Manifest[],
  kind: 'ConfigMap' | 'Secret',
  name: string,
): Record<string, string> {
  const found = ofKind(manifests, kind).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  const values = data.parse(found['data']);
  if (kind === 'ConfigMap') return values;
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));
}

/** Returns the variables of a container, as its process gets them. */
export function environmentOf(manifests: readonly Manifest[], { env, envFrom }: Container): Record<string, string> {
  const given = envFrom.flatMap(({ configMapRef: { name } }) => Object.entries(dataOf(manifests, 'ConfigMap', name)));
  const own = env.flatMap(({ name, value, valueFrom }) => {
    const { secretKeyRef: secret, configMapKeyRef: map } = valueFrom ?? {};
    const ofMap = map === undefined ? value : dataOf(manifests, 'ConfigMap', map.name)[map.key];
    const text = secret === undefined ? ofMap : dataOf(manifests, 'Secret', secret.name)[secret.key];
    if (text === undefined && map?.optional === true) return [];
    if (text === undefined) throw new Error(`${name} has no value`);
    return [[name, text] as const];
  });
  return Object.fromEntries([...given, ...own]);
}

/** Returns the files of secrets that a container sees, by their paths. */
export function secretFilesOf(
  manifests: readonly Manifest[],
  { spec }: Workload,
  { volumeMounts }: Container,
): Record<string, string> {
  const files = volumeMounts.flatMap(({ name, mountPath }) => {
    const secret = spec.template.spec.volumes.find((each) => each.name === name)?.secret;
    if (secret === undefined) return [];
    const values = dataOf(manifests, 'Secret', secret.secretName);
    const items = secret.items ?? Object.keys(values).map((key) => ({ key, path: key }));
    return items.map(({ key, path }): [string, string] => {
      const text = values[key];
      if (text === undefined) throw new Error(`The Secret ${secret.secretName} has no ${key}`);
      return [`${mountPath}/${path}`, text];
    });
  });
  return Object.fromEntries(files);
}
