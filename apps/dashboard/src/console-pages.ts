import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginCallback } from 'fastify';
import { packedAssets } from './packed-assets.ts';

/** Ids of conversations may have dots, files have one. */
const PAGE = /^(?:[^.]*|conversations\/.*)$/;

/** What has routes of its own. A path below that they do not know is not there. */
const OTHERS = /^(?:api|queues|metrics)(?:\/|$)/;

/**
 * Makes the routes of the console's pages: the files of `folder`, and its index.html for every path of a page, which the browser's router
 * reads.
 *
 * @param folder  What Vite has built.
 */
export function consolePages(folder: string): FastifyPluginCallback {
  const pack = packedAssets(folder);
  return (app, _options, done) => {
    void app.register(fastifyStatic, { root: folder, serve: false, index: false, suppressWarning: true });
    app.get<{ Params: { '*': string } }>('/*', async ({ params, headers }, reply) => {
      const path = params['*'];
      if (OTHERS.test(path)) return reply.callNotFound();
      if (!PAGE.test(path)) {
        const packed = /\bgzip\b/.test(headers['accept-encoding']?.toString() ?? '') ? await pack(path) : undefined;
        reply.header('vary', 'accept-encoding');
        if (packed === undefined) return reply.sendFile(path);
        return reply.type(packed.type).header('content-encoding', 'gzip').send(packed.bytes);
      }
      if (existsSync(join(folder, 'index.html'))) return reply.sendFile('index.html');
      return reply.code(503).send({
        code: 'unavailable',
        message: 'The pages of the console are not built: npm run build makes them. The queues are under /queues.',
      });
    });
    done();
  };
}
