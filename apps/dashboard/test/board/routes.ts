import type { FastifyInstance, HTTPMethods } from 'fastify';

/** One route that an app answers, with the parameters of its path filled in. */
export interface Route {
  readonly method: HTTPMethods;
  readonly url: string;
}

const PARAMETERS: Readonly<Record<string, string>> = { queueStatus: 'failed', schedulerId: 'none', '*': 'favicon.ico' };

/**
 * Readies `app` and lists every route that it answers, those of its plugins included.
 *
 * @param parameters  The values of `:name` in the paths.
 */
export async function routesOf(app: FastifyInstance, parameters: Readonly<Record<string, string>>): Promise<Route[]> {
  const routes: Route[] = [];
  const values = { ...PARAMETERS, ...parameters };
  app.addHook('onRoute', ({ method, url }) => {
    const path = url.replace(/:(\w+)|(\*)/g, (_, name?: string, star?: string) => values[name ?? star ?? ''] ?? 'none');
    for (const one of [method].flat()) routes.push({ method: one, url: path });
  });
  await app.ready();
  return routes;
}

/** Whether a route changes something. */
export function changesState({ method }: Route): boolean {
  return method !== 'GET' && method !== 'HEAD';
}
