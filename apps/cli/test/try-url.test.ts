import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeCertificate } from '../../../test/support/certificate.ts';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { tryUrl } from '../src/provider/try-url.ts';

const PATH = '/api/elevenlabs/webhook';

/** Serves answers over TLS until the test ends; its certificate is of an authority of its own. */
async function serve(answer: RequestListener) {
  const { certFile, keyFile, ca } = await makeCertificate(await makeTempFolder());
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const asked: { method: string | undefined; path: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    asked.push({ method: request.method, path: request.url, headers: request.headers });
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `https://127.0.0.1:${port}${PATH}`, ca, asked };
}

test('it is one GET without credentials, and tells status, methods and kind', async () => {
  const { url, ca, asked } = await serve((_request, response) => {
    response.writeHead(405, { allow: 'POST', 'content-type': 'text/plain' }).end('no');
  });
  expect(await tryUrl(url, { ca })).toEqual({ status: 405, allow: 'POST', location: null, type: 'text/plain' });
  expect(asked).toMatchObject([{ method: 'GET', path: PATH }]);
  expect(Object.keys(asked[0]?.headers ?? {}).toSorted()).toEqual(['connection', 'host']);
});

test('a redirect is told, and not followed', async () => {
  const { url, ca, asked } = await serve((_request, response) => {
    response.writeHead(301, { location: '/elsewhere' }).end();
  });
  expect(await tryUrl(url, { ca })).toEqual({ status: 301, allow: null, location: '/elsewhere', type: null });
  expect(asked).toHaveLength(1);
});

test('a page without end is not read', async () => {
  const left: number[] = [];
  const { url, ca } = await serve((_request, response) => {
    const page = 'x'.repeat(65_536);
    let sent = 0;
    const more = () => {
      do sent += page.length;
      while (response.write(page));
    };
    response.writeHead(200, { 'content-type': 'text/html' }).on('drain', more);
    response.on('close', () => left.push(sent));
    more();
  });
  expect(await tryUrl(url, { ca })).toMatchObject({ status: 200, type: 'text/html' });
  // What lies in the buffers of the connection, at most.
  await expect.poll(() => left, { timeout: 20_000 }).toEqual([expect.any(Number)]);
  expect(left[0]).toBeLessThan(16 * 1_048_576);
});

test('an invalid certificate, silence, and nobody there are told by their codes', async () => {
  const { url, ca, asked } = await serve(() => undefined);
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await tryUrl(url)).toEqual({ fault: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  expect(asked).toEqual([]);
  expect(await tryUrl(url, { ca, waitMs: 500 })).toEqual({ fault: 'ETIMEDOUT' });
  expect(await tryUrl('https://127.0.0.1:1/', { ca })).toEqual({ fault: 'ECONNREFUSED' });
  const unknown = /^(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT)$/;
  expect(await tryUrl('https://landline.invalid/')).toEqual({ fault: expect.stringMatching(unknown) });
});
