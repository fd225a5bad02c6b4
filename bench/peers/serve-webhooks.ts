import { stopOnRequest } from '@landline/process';
import { SIGNATURE_HEADER } from '@landline/webhook';
import { verify } from '@landline/webhook/verify';
import { fastify } from 'fastify';
import { WEBHOOK_PATH } from '../../test/support/post.ts';
import { variables } from './variables.ts';

const ACCEPTED = { status: 'accepted' };
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
const TOLERANCE_SECONDS = 3600;
const NOTHING = Buffer.alloc(0);

/** Makes a verified event durable. It returns undefined where the answer need not wait. */
export type Take = (body: Buffer, signedAt: number) => Promise<unknown> | undefined;

/**
 * Runs the receiver that all peers share: it reads the raw body, verifies the signature, and answers 200 once the event is durable. At
 * SIGTERM it answers the requests under way and calls `close`.
 */
export async function serveWebhooks(take: Take, close?: () => Promise<unknown>): Promise<void> {
  const app = fastify({ bodyLimit: BODY_LIMIT_BYTES });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post<{ Body: Buffer | undefined }>(WEBHOOK_PATH, (request, reply) => {
    const body = request.body ?? NOTHING;
    const now = Math.floor(Date.now() / 1000);
    const options = { secrets: [variables.SECRET], now, toleranceSeconds: TOLERANCE_SECONDS };
    const verdict = verify(body, request.headers[SIGNATURE_HEADER], options);
    if (!verdict.ok) {
      reply.code(401);
      return { error: verdict.code };
    }
    const taken = take(body, verdict.signedAt);
    return taken === undefined ? ACCEPTED : taken.then(() => ACCEPTED);
  });
  app.get('/health/ready', () => ({ status: 'ready' }));
  stopOnRequest(async () => {
    await app.close();
    await close?.();
  });
  await app.listen({ port: variables.PORT, host: '127.0.0.1' });
}
