import { SIGNATURE_HEADER, verify } from '@landline/webhook';
import { fastify, type FastifyInstance } from 'fastify';

const ACCEPTED = { status: 'accepted' };
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
const TOLERANCE_SECONDS = 3600;
const NOTHING = Buffer.alloc(0);

/** Makes a verified event durable; nothing is returned where nothing has to be waited for. */
export type Take = (body: Buffer, signedAt: number) => Promise<unknown> | undefined;

/** The receiver that all peers share: raw body, signature, and 200 once the event is taken; it does not listen yet. */
export function createWebhookApp(secret: string, take: Take): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_LIMIT_BYTES });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post<{ Body: Buffer | undefined }>('/api/elevenlabs/webhook', (request, reply) => {
    const body = request.body ?? NOTHING;
    const now = Math.floor(Date.now() / 1000);
    const options = { secrets: [secret], now, toleranceSeconds: TOLERANCE_SECONDS };
    const verdict = verify(body, request.headers[SIGNATURE_HEADER], options);
    if (!verdict.ok) {
      reply.code(401);
      return { error: verdict.code };
    }
    const taken = take(body, verdict.signedAt);
    return taken === undefined ? ACCEPTED : taken.then(() => ACCEPTED);
  });
  app.get('/health/ready', () => ({ status: 'ready' }));
  return app;
}
