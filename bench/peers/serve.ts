import { stopOnRequest } from '@landline/process';
import type { FastifyInstance } from 'fastify';

/** Listens until asked to stop; then answers what is under way and closes what the receiver had open. */
export async function serve(app: FastifyInstance, port: number, close?: () => Promise<unknown>): Promise<void> {
  stopOnRequest(async () => {
    await app.close();
    await close?.();
  });
  await app.listen({ port, host: '127.0.0.1' });
}
