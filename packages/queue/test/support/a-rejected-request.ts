import { randomUUID } from 'node:crypto';
import type { RejectedRequest } from '../../src/rejected/rejected-request.ts';

/** A refused request with a body of its own. */
export function aRejectedRequest(changes: Partial<RejectedRequest> = {}): RejectedRequest {
  const id = randomUUID();
  return {
    v: 1,
    id,
    receivedAt: 1_767_225_600_000,
    code: 'signature_mismatch',
    header: 't=1767225600,v0=00',
    headers: { 'user-agent': 'ElevenLabs' },
    encoding: 'utf8',
    body: `{"id":"${id}"}`,
    bodyBytes: 45,
    sender: '127.0.0.1',
    ...changes,
  };
}
