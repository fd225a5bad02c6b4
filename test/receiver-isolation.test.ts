import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { APPS, environmentOf } from '../apps/cli/src/start/apps.ts';
import { startApp, untilReady } from './support/app-process.ts';
import { readCompose, serviceOf } from './support/compose.ts';
import { exampleEvent } from './support/example-event.ts';
import { post, SECRET } from './support/post.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../apps/receiver/dist/main.js', import.meta.url));

/** The database's code, by file and by package. */
const FORBIDDEN_FILE = /\/node_modules\/(@prisma|prisma|\.prisma|pg|pg-[a-z-]+)\/|\/packages\/store\//;
const FORBIDDEN_PACKAGE = /^(@prisma\/.*|prisma|pg|pg-.*|@landline\/store|@landline\/worker)$/;

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis();
});
afterAll(() => redis.remove());

it('loads nothing of Prisma or pg while it takes events', async () => {
  const folder = await makeTempFolder();
  const receiver = await startApp('receiver', {
    // V8 records every script that ran, by import or by require, also a late one.
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, NODE_V8_COVERAGE: folder },
  });
  await untilReady(receiver);
  expect(await post(receiver.url, exampleEvent('post_call_transcription'))).toMatchObject({ status: 200 });
  expect(await receiver.stop()).toEqual([0, null]);

  const loaded = loadedScripts(folder);
  // The list has known modules, so it is whole: an empty list would have nothing forbidden either.
  for (const name of ['/apps/receiver/dist/main.js', '/node_modules/fastify/', '/node_modules/bullmq/']) {
    expect(loaded.filter((url) => url.includes(name))).not.toEqual([]);
  }
  expect(loaded.filter((url) => FORBIDDEN_FILE.test(url))).toEqual([]);
});

it('is given no database by npm start, nor by Docker Compose', () => {
  const receiver = APPS.find(({ name }) => name === 'receiver');
  if (receiver === undefined) throw new Error('npm start knows no receiver');
  const env = { DATABASE_URL: 'postgresql://someone:hunter2@db/landline', REDIS_URL: 'redis://queue' };
  const given = [environmentOf(receiver, env), serviceOf(readCompose(), 'receiver').environment];
  for (const variables of given) {
    expect(Object.keys(variables)).toContain('REDIS_URL');
    expect(JSON.stringify(variables)).not.toMatch(/DATABASE|PG[A-Z]+|postgres|hunter2/i);
  }
});

it('cannot reach Prisma or pg by any import, of its own or of what it depends on', () => {
  const { files, packages } = reachableFrom(MAIN);
  expect(files.length).toBeGreaterThan(20);
  expect([...packages]).toEqual(expect.arrayContaining(['fastify', 'bullmq', 'ioredis', '@landline/queue']));
  expect([...packages].filter((name) => FORBIDDEN_PACKAGE.test(name))).toEqual([]);
});

const coverage = z.object({ result: z.array(z.object({ url: z.string() })) });

function loadedScripts(folder: string): string[] {
  return readdirSync(folder).flatMap((file) => {
    const { result } = coverage.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    return result.map(({ url }) => url);
  });
}

/** Follows Landline's own files by their imports, and other packages by the dependencies in their package.json. */
function reachableFrom(main: string): { files: string[]; packages: Set<string> } {
  const files = new Set([main]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const specifier of importsIn(readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else if (specifier.startsWith('@landline/')) addOwn(specifier, file);
      else addOthers(packageOf(specifier), file);
    }
  }
  return { files: [...files], packages };

  function addOwn(name: string, from: string): void {
    packages.add(name);
    files.add(createRequire(from).resolve(name));
  }

  function addOthers(name: string, from: string): void {
    if (packages.has(name)) return;
    const manifest = manifestOf(name, from);
    if (manifest === undefined) return;
    packages.add(name);
    const { dependencies } = z
      .object({ dependencies: z.record(z.string(), z.string()).default({}) })
      .parse(JSON.parse(readFileSync(manifest, 'utf8')));
    for (const needed of Object.keys(dependencies)) addOthers(needed, manifest);
  }
}

/** Returns every module that compiled code imports or re-exports, also by a late import(). */
function importsIn(code: string): string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, name = '']) => name);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Returns the package.json that Node finds for `name`, from a file's folder upwards. */
function manifestOf(name: string, from: string): string | undefined {
  const folders = createRequire(from).resolve.paths(name) ?? [];
  return folders
    .map((folder) => join(folder, name, 'package.json'))
    .find((file) => {
      try {
        readFileSync(file);
        return true;
      } catch {
        return false;
      }
    });
}
