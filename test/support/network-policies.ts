import { z } from 'zod';
import type { Manifest } from './kustomize.ts';
import { ofKind } from './workloads.ts';

const selector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) }))
    .default([]),
});
const peer = z.strictObject({ podSelector: selector.optional(), namespaceSelector: selector.optional() });
const port = z.strictObject({ protocol: z.enum(['TCP', 'UDP']), port: z.union([z.string(), z.number()]) });
const policySchema = z.object({
  podSelector: selector,
  policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
  ingress: z.array(z.strictObject({ from: z.array(peer).optional(), ports: z.array(port) })).default([]),
  egress: z.array(z.strictObject({ to: z.array(peer).optional(), ports: z.array(port) })).default([]),
});

type Policy = z.infer<typeof policySchema>;
type Labels = Readonly<Record<string, string>>;

/** One end of a connection. */
export interface End {
  /** Of the pod; undefined: no pod, but an address outside of the cluster. */
  labels?: Labels | undefined;
  /** The namespace of the pod, and its labels. */
  namespace?: { name: string; labels: Labels };
  /** The named ports of the pod. */
  ports?: Readonly<Record<string, number>>;
}

/** What to connect to: a port of TCP, unless it says UDP. */
export interface Port {
  number: number;
  protocol?: 'TCP' | 'UDP';
}

/**
 * Makes the judge of connections under the NetworkPolicies of `manifests`, by the rules of Kubernetes: a pod that no policy selects for a
 * direction is open in it; else one rule of one policy must let the connection through. Both ends must.
 *
 * @param namespace  Where the policies are.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function judgeOf(manifests: readonly Manifest[], namespace: string) {
  const policies = ofKind(manifests, 'NetworkPolicy').map((manifest) => policySchema.parse(manifest['spec']));
  const selecting = (end: End, type: 'Ingress' | 'Egress') =>
    policies.filter(
      ({ podSelector, policyTypes }) =>
        policyTypes.includes(type) && end.namespace?.name === namespace && selects(podSelector, end.labels),
    );

  function goesOut(from: End, to: End, at: Port): boolean {
    const own = selecting(from, 'Egress');
    const rules = own.flatMap(({ egress }) => egress.map(({ to: peers, ports }) => ({ peers, ports })));
    return own.length === 0 || rules.some((rule) => lets(rule, { far: to, to, at }));
  }

  function comesIn(from: End, to: End, at: Port): boolean {
    const own = selecting(to, 'Ingress');
    const rules = own.flatMap(({ ingress }) => ingress.map(({ from: peers, ports }) => ({ peers, ports })));
    return own.length === 0 || rules.some((rule) => lets(rule, { far: from, to, at }));
  }

  /** Tells whether a rule lets a connection through, whose other end is `far`. */
  function lets(
    { peers, ports }: { peers: z.infer<typeof peer>[] | undefined; ports: Policy['ingress'][number]['ports'] },
    { far, to, at }: { far: End; to: End; at: Port },
  ): boolean {
    const isPeer = peers === undefined || peers.some((each) => isMeant(each, far));
    const { number, protocol = 'TCP' } = at;
    return (
      isPeer &&
      ports.some((each) => {
        const wanted = typeof each.port === 'string' ? to.ports?.[each.port] : each.port;
        return each.protocol === protocol && wanted === number;
      })
    );
  }

  /** A peer without a namespaceSelector is in the namespace of the policy. */
  function isMeant({ podSelector, namespaceSelector }: z.infer<typeof peer>, far: End): boolean {
    if (far.labels === undefined || far.namespace === undefined) return false;
    const isThere =
      namespaceSelector === undefined
        ? far.namespace.name === namespace
        : selects(namespaceSelector, far.namespace.labels);
    return isThere && (podSelector === undefined || selects(podSelector, far.labels));
  }

  return {
    /** Tells whether `from` can open a connection to a port of `to`. */
    mayReach: (from: End, to: End, at: Port): boolean => goesOut(from, to, at) && comesIn(from, to, at),
  };
}

function selects({ matchLabels, matchExpressions }: z.infer<typeof selector>, labels: Labels = {}): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}
