import { BlockList, isIP } from 'node:net';
import { WEBHOOK_PATH } from '@landline/webhook';

/** Where the provider asks who is calling: the route of apps/initiation. */
const INITIATION_PATH = '/api/elevenlabs/conversation-initiation';

/** A URL of ours at which the provider should be pointed. */
export interface OurUrl {
  /** With the port, where there is one. Undefined: PUBLIC_URL is not set, and any host counts. */
  host: string | undefined;
  path: string;
}

/** Our URLs. The provider takes https alone, so they are https whatever PUBLIC_URL says. */
export interface OurUrls {
  webhook: OurUrl;
  initiation: OurUrl;
}

/** Makes our URLs of PUBLIC_URL, which is an origin. */
export function ourUrlsOf(publicUrl: string | undefined): OurUrls {
  const host = publicUrl === undefined ? undefined : new URL(publicUrl).host;
  return { webhook: { host, path: WEBHOOK_PATH }, initiation: { host, path: INITIATION_PATH } };
}

/** Returns our URL as a person types it at the provider. */
export function describeOurUrl({ host, path }: OurUrl): string {
  return `https://${host ?? '<your host>'}${path}`;
}

/** Tells whether a URL at the provider is ours. A query and credentials make no difference: the request arrives. */
export function isOurs(url: string, our: OurUrl): boolean {
  return URL.canParse(url) && differencesOf(new URL(url), our).length === 0;
}

/** Returns in which ways a URL at the provider misses ours; undefined where it has nothing to do with ours. */
export function nearMissOf(text: string, our: OurUrl): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const path = pathDifference(url.pathname, our.path);
  const isOfOurHost = our.host !== undefined && url.hostname === new URL(`https://${our.host}`).hostname;
  if (!isOfOurHost && (path === 'another path' || path === 'no path')) return undefined;
  return differencesOf(url, our).join(', ');
}

function differencesOf(url: URL, our: OurUrl): string[] {
  const path = pathDifference(url.pathname, our.path);
  return [
    ...(url.protocol === 'https:' ? [] : [`${url.protocol.slice(0, -1)} instead of https`]),
    ...(our.host === undefined ? [] : hostDifference(url, our.host)),
    ...(path === undefined ? [] : [path]),
  ];
}

function hostDifference(url: URL, host: string): string[] {
  // The port of the protocol is not in the host: http://a and https://a differ in the protocol alone.
  if (url.host === host) return [];
  return [url.hostname === new URL(`https://${host}`).hostname ? 'another port' : 'another host'];
}

function pathDifference(path: string, our: string): string | undefined {
  if (path === our) return undefined;
  if (path === '/' || path === '') return 'no path';
  if (path.replace(/\/+$/, '') === our) return 'a slash at the end';
  if (path.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '') === our) return 'a slash too many';
  if (path.includes(`${our}${our}`)) return 'the path twice';
  if (path.replace(/\/$/, '').toLowerCase() === our.toLowerCase()) return 'capital letters in the path';
  return path.includes(our) ? 'more than the path' : 'another path';
}

const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv4');
}
PRIVATE.addSubnet('::', 127, 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** Tells whether nobody on the Internet can reach a URL's host: a loopback or private address, or a name of an inner network. */
export function isPrivateHost(url: string): boolean {
  const host = new URL(url).hostname.replaceAll(/^\[|\]$|\.$/g, '');
  const family = isIP(host);
  if (family !== 0) return PRIVATE.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return !host.includes('.') || /\.(?:localhost|local|internal|lan|home\.arpa|svc|test|invalid)$/.test(host);
}
