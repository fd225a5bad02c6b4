import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { closeServer } from './close-server.ts';

const attributes = z
  .array(z.object({ key: z.string(), value: z.looseObject({}) }))
  .default([])
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]])));

const span = z.object({
  name: z.string(),
  traceId: z.string(),
  spanId: z.string(),
  attributes,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string(), attributes })).default([]),
});

/** OTLP in JSON, as far as the tests read it. */
const exported = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }), spans: z.array(span) })),
    }),
  ),
});

/** A span that a process has sent. */
export type SentSpan = z.infer<typeof span> & { service: unknown; scope: string };

/** A collector for one test. */
export interface TraceCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  /** Returns the spans of a service, in the order in which they came. */
  spansOf(service: string): SentSpan[];
}

/** Starts a collector that keeps what it is sent, until the test ends. A silent one takes everything and answers nothing. */
export async function startTraceCollector({ isSilent = false } = {}): Promise<TraceCollector> {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    if (isSilent) return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const { resource, scopeSpans } of exported.parse(JSON.parse(Buffer.concat(chunks).toString()))
        .resourceSpans) {
        const service = resource.attributes['service.name'];
        for (const { scope, spans: sent } of scopeSpans) {
          spans.push(...sent.map((each) => ({ ...each, service, scope: scope.name })));
        }
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => closeServer(server, () => server.closeAllConnections()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The collector has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    spansOf: (service) => spans.filter((each) => each.service === service),
  };
}
