import { BlockList, isIPv6 } from 'node:net';
import type { IncomingMessage } from 'node:http';

const INNER = new BlockList();
INNER.addSubnet('127.0.0.0', 8, 'ipv4');
INNER.addSubnet('10.0.0.0', 8, 'ipv4');
INNER.addSubnet('172.16.0.0', 12, 'ipv4');
INNER.addSubnet('192.168.0.0', 16, 'ipv4');
INNER.addSubnet('169.254.0.0', 16, 'ipv4');
INNER.addAddress('::1', 'ipv6');
INNER.addSubnet('fc00::', 7, 'ipv6');
INNER.addSubnet('fe80::', 10, 'ipv6');

/**
 * Whether a request comes from this machine or its inner network, and not through a proxy: then it may read the metrics.
 * The port is open to ElevenLabs, so a request from outside has a proxy's header or an address of the internet.
 */
export function isInner({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined) return false;
  const address = socket.remoteAddress ?? '';
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return INNER.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
