import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ROOT } from './support/root.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const run = promisify(execFile);
const WALLS = 'tools/walls/walls.json';
const SCRIPT = join(ROOT, 'tools/walls/write-walls.mjs');
const KEPT_FILES = [WALLS, '.oxlintrc.json', '.prettierrc.json', 'CONTRIBUTING.md'];

const walls = z
  .looseObject({
    workspaces: z.array(
      z.looseObject({ place: z.string(), packages: z.array(z.string()), npm: z.array(z.string()), node: z.unknown() }),
    ),
    exceptions: z.array(z.looseObject({ rule: z.string(), files: z.array(z.string()) })),
  })
  .parse(JSON.parse(await readFile(join(ROOT, WALLS), 'utf8')));

/** A folder that holds the table of walls and what is written from it, and nothing else. */
async function copyWalls(): Promise<string> {
  const folder = await makeTempFolder();
  for (const file of KEPT_FILES) await cp(join(ROOT, file), join(folder, file));
  return folder;
}

async function change(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

/** Lints every file below `folder`; each fault is `<file>:<line> <rule>`. */
async function lint(folder: string): Promise<string[]> {
  const output = await run(process.execPath, [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--format=json', '.'], {
    cwd: folder,
    maxBuffer: 16 * 1024 * 1024,
  }).then(
    ({ stdout }) => stdout,
    // The linter exits with 1 where it finds a fault.
    (error: unknown) => z.object({ code: z.literal(1), stdout: z.string() }).parse(error).stdout,
  );
  const { diagnostics } = z
    .object({
      diagnostics: z.array(
        z.object({
          code: z.string(),
          filename: z.string(),
          labels: z.tuple([z.object({ span: z.object({ line: z.number() }) })], z.unknown()),
        }),
      ),
    })
    .parse(JSON.parse(output));
  return diagnostics
    .filter(({ code }) => /^eslint\((no-restricted-|max-)/.test(code))
    .map(({ code, filename, labels: [{ span }] }) => `${filename}:${span.line} ${code.slice(7, -1)}`);
}

test('lint and CONTRIBUTING.md have the walls of the table', async () => {
  await expect(run(process.execPath, [SCRIPT, '--check'], { cwd: ROOT })).resolves.toBeDefined();
});

test('a wall that stands in the rules or in CONTRIBUTING.md alone fails the check, which names the file', async () => {
  const folder = await copyWalls();
  const check = async () => run(process.execPath, [SCRIPT, '--check', '--root', folder]);
  await expect(check()).resolves.toBeDefined();

  await change(join(folder, '.oxlintrc.json'), '"!ioredis"', '"!ioredis", "!redis"');
  await expect(check()).rejects.toMatchObject({ code: 1, stderr: /^\.oxlintrc\.json: / });
  await change(join(folder, 'CONTRIBUTING.md'), 'webhook, bullmq, ioredis', 'webhook, journal, bullmq, ioredis');
  await expect(check()).rejects.toMatchObject({ code: 1, stderr: /^\.oxlintrc\.json and CONTRIBUTING\.md: / });

  await run(process.execPath, [SCRIPT, '--root', folder]);
  await expect(check()).resolves.toBeDefined();
  for (const file of KEPT_FILES) expect(await readFile(join(folder, file))).toEqual(await readFile(join(ROOT, file)));
});

test('every workspace stands in the table, and depends on nothing that it may not import', async () => {
  for (const kind of ['packages', 'apps']) {
    for (const name of await readdir(join(ROOT, kind))) {
      const workspace = walls.workspaces.find(({ place }) => place === `${kind}/${name}`);
      if (workspace === undefined) throw new Error(`${kind}/${name} does not stand in ${WALLS}.`);
      const manifest = await readFile(join(ROOT, kind, name, 'package.json'), 'utf8');
      const { dependencies = {} } = z
        .object({ dependencies: z.record(z.string(), z.string()).optional() })
        .parse(JSON.parse(manifest));
      const mayImport = [...workspace.packages.map((each) => `@landline/${each}`), ...workspace.npm];
      const others = Object.keys(dependencies).filter((each) => !mayImport.includes(each));
      expect(others, `dependencies of ${kind}/${name}`).toEqual([]);
    }
  }
});

test('an entry point of a package is let in where the package is, and a file of its folders nowhere', async () => {
  const folder = await copyWalls();
  const imports = "import '@landline/webhook/delivery';\nimport '@landline/webhook/events/direction';\n";
  await writeFiles(folder, { 'packages/queue/src/entry.ts': imports, 'packages/process/src/entry.ts': imports });
  expect((await lint(folder)).toSorted()).toEqual([
    'packages/process/src/entry.ts:1 no-restricted-imports',
    'packages/process/src/entry.ts:2 no-restricted-imports',
    'packages/queue/src/entry.ts:2 no-restricted-imports',
  ]);
});

const PACKAGES = [
  'webhook',
  'queue',
  'held-folder',
  'journal',
  'recordings',
  'intake',
  'store',
  'provider',
  'operations',
  'process',
  'local-servers',
];
const APPS = ['receiver', 'worker', 'initiation', 'monitor', 'dashboard', 'cli'];
const OUTSIDE = [
  'bullmq',
  'ioredis',
  '@prisma/client',
  'pg',
  'fastify',
  '@bull-board/api',
  'pino',
  '@aws-sdk/client-s3',
  'ws',
  'zod',
  'node:net',
];
const NAMES = [...ours(...PACKAGES, ...APPS), ...OUTSIDE];

function ours(...names: string[]): string[] {
  return names.map((name) => `@landline/${name}`);
}

/** The names of `NAMES` that each place may import. Lint must refuse all others. */
const LET_IN: Readonly<Record<string, readonly string[]>> = {
  'packages/webhook': ['zod'],
  'packages/queue': ['@landline/webhook', 'bullmq', 'ioredis', 'zod', 'node:net'],
  'packages/held-folder': ['node:net'],
  'packages/journal': ['@landline/webhook', '@landline/held-folder', 'zod', 'node:net'],
  'packages/recordings': ['@landline/webhook', '@landline/held-folder', '@aws-sdk/client-s3', 'zod', 'node:net'],
  'packages/intake': ['@landline/webhook', '@landline/queue', '@landline/journal', 'zod', 'node:net'],
  'packages/store': ['@landline/webhook', '@prisma/client', 'zod', 'node:net'],
  'packages/provider': ['@landline/webhook', 'ws', 'zod', 'node:net'],
  'packages/operations': [...ours('webhook', 'recordings', 'intake', 'store', 'provider'), 'zod', 'node:net'],
  'packages/process': ['pino', 'zod', 'node:net'],
  'packages/local-servers': ['node:net'],
  'apps/receiver': [
    ...ours('webhook', 'queue', 'journal', 'recordings', 'intake', 'process'),
    'fastify',
    'zod',
    'node:net',
  ],
  'apps/worker': [
    ...ours('webhook', 'queue', 'recordings', 'store', 'provider', 'operations', 'process'),
    'fastify',
    'zod',
    'node:net',
  ],
  'apps/initiation': [...ours('webhook', 'queue', 'intake', 'store', 'process'), 'fastify', 'zod', 'node:net'],
  'apps/monitor': [...ours('webhook', 'provider', 'process'), 'fastify', 'zod', 'node:net'],
  'apps/dashboard': [
    ...ours('webhook', 'queue', 'recordings', 'store', 'operations', 'process'),
    'fastify',
    '@bull-board/api',
    'zod',
    'node:net',
  ],
  'apps/cli': [...ours(...PACKAGES.filter((name) => name !== 'held-folder')), 'zod', 'node:net'],
};

test('each place is refused every import that it may not make', async () => {
  const folder = await copyWalls();
  const importAll = NAMES.map((name, i) => `import * as name${i} from '${name}';\n`).join('');
  for (const place of Object.keys(LET_IN)) await writeFiles(folder, { [`${place}/src/imports.ts`]: importAll });
  const refused = Object.entries(LET_IN).flatMap(([place, letIn]) =>
    NAMES.flatMap((name, i) =>
      letIn.includes(name) ? [] : [`${place}/src/imports.ts:${i + 1} no-restricted-imports`],
    ),
  );
  expect((await lint(folder)).toSorted()).toEqual(refused.toSorted());
  expect(Object.keys(LET_IN).toSorted()).toEqual(walls.workspaces.map(({ place }) => place).toSorted());
});

test('the pages of the console know the contract of the API, and nothing else of the dashboard', async () => {
  const folder = await copyWalls();
  await writeFiles(folder, {
    'apps/dashboard/pages/events/imports.tsx': [
      "import type { EventItem } from '../../src/api/contract/events.ts';", // not refused
      "import { CAUSES } from '@landline/webhook/causes';", // not refused
      "import { render } from 'preact';", // not refused
      "import '../parts/tag.tsx';", // not refused
      "import '../../src/app.ts';",
      "import '../../src/api/routes.ts';",
      "import '@landline/webhook';",
      "import '@landline/webhook/json';",
      "import '@landline/store';",
      "import 'zod';",
      "import 'node:fs';",
    ].join('\n'),
  });
  const refused = [5, 6, 7, 8, 9, 10, 11].map(
    (line) => `apps/dashboard/pages/events/imports.tsx:${line} no-restricted-imports`,
  );
  expect(new Set(await lint(folder))).toEqual(new Set(refused));
});

test('a wall stands for every way to import', async () => {
  const folder = await copyWalls();
  await writeFiles(folder, {
    'packages/store/src/ways.ts': [
      "import type { Queue } from '@landline/queue';",
      "export { enqueue } from '@landline/queue';",
      "export * from '@landline/queue';",
      "const late = await import('@landline/queue');",
      "import '@landline/queue';",
    ].join('\n'),
  });
  expect(await lint(folder)).toHaveLength(5);
});

test("no file imports another package's inner files, or the index.ts of its own package", async () => {
  const folder = await copyWalls();
  await writeFiles(folder, {
    'packages/store/src/inner.ts': [
      "import '@landline/webhook/src/verify.ts';",
      "import '@landline/webhook/dist/verify.js';",
      "import '../../webhook/src/verify.ts';",
      "import '../../../packages/webhook/dist/verify.js';",
      "import './index.ts';",
      "import './read/../index.ts';",
      "import './read/rows.ts';", // its own: not refused
    ].join('\n'),
    'packages/store/src/read/rows.ts': "import '../index.ts';\nimport '..';\nimport '../store.ts';\n",
    'packages/store/test/inner.test.ts':
      "import '../../queue/src/producer.ts';\nimport '../../../packages/queue/src/producer.ts';\nimport '../src/store.ts';\n",
    'apps/worker/test/inner.test.ts': "import '../../receiver/src/app.ts';\nimport '../src/app.ts';\n",
    'test/inner.test.ts': "import '../packages/queue/src/producer.ts';\nimport '../apps/worker/src/app.ts';\n",
    'bench/inner.ts': "import '../packages/queue/src/producer.ts';\nimport '../apps/worker/src/app.ts';\n",
  });
  expect((await lint(folder)).toSorted()).toEqual([
    'apps/worker/test/inner.test.ts:1 no-restricted-imports',
    'bench/inner.ts:1 no-restricted-imports',
    ...[1, 2, 3, 4, 5, 6].map((line) => `packages/store/src/inner.ts:${line} no-restricted-imports`),
    ...[1, 2].map((line) => `packages/store/src/read/rows.ts:${line} no-restricted-imports`),
    ...[1, 2].map((line) => `packages/store/test/inner.test.ts:${line} no-restricted-imports`),
    'test/inner.test.ts:1 no-restricted-imports',
  ]);
});

test('only main.ts and the set-up read process.env', async () => {
  const folder = await copyWalls();
  const read = 'export const all = process.env;\n';
  await writeFiles(folder, {
    'apps/worker/src/main.ts': read,
    'apps/worker/src/config.ts': read,
    'apps/cli/bin/setup.mjs': read,
    'packages/process/src/variables.ts': [
      "export const one = process.env['PORT'];",
      'export const { env } = process;',
      "import { env as other } from 'node:process';",
      "import whole from 'node:process';",
      "import { report } from 'node:process';", // not refused
    ].join('\n'),
    'bench/run.ts': read,
    'tools/read.mjs': read,
    'test/one.test.ts': read,
  });
  expect((await lint(folder)).toSorted()).toEqual([
    'apps/worker/src/config.ts:1 no-restricted-properties',
    'bench/run.ts:1 no-restricted-properties',
    'packages/process/src/variables.ts:1 no-restricted-properties',
    'packages/process/src/variables.ts:2 no-restricted-properties',
    'packages/process/src/variables.ts:3 no-restricted-imports',
    'packages/process/src/variables.ts:4 no-restricted-imports',
    'tools/read.mjs:1 no-restricted-properties',
  ]);
});

function functionOf(lines: number): string {
  return `export function long() {\n${'  long();\n'.repeat(lines - 2)}}\n`;
}

test('a function may have 60 lines and three parameters, and a file 250 lines', async () => {
  const folder = await copyWalls();
  await writeFiles(folder, {
    'packages/queue/src/just-short.ts': functionOf(60),
    'packages/queue/src/long.ts': functionOf(61),
    'apps/worker/src/just-short.ts': 'export {};\n'.repeat(250),
    'apps/worker/src/long.ts': 'export {};\n'.repeat(251),
    'apps/worker/src/parameters.ts': [
      'export const three = (a: 1, b: 2, c: 3) => [a, b, c];',
      'export const four = (a: 1, b: 2, c: 3, d: 4) => [a, b, c, d];',
    ].join('\n'),
    'test/long.test.ts': functionOf(300),
  });
  const faults = (await lint(folder)).map((fault) => fault.replace(/:\d+/, ''));
  expect(faults.toSorted()).toEqual([
    'apps/worker/src/long.ts max-lines',
    'apps/worker/src/parameters.ts max-params',
    'packages/queue/src/long.ts max-lines-per-function',
  ]);
});

test('every exception is of a file that would be refused without it', async () => {
  const folder = await copyWalls();
  const excepted = walls.exceptions.flatMap(({ rule, files }) => files.map((file) => ({ rule, file })));
  for (const { file } of excepted) await cp(join(ROOT, file), join(folder, file));
  expect(await lint(folder)).toEqual([]);

  await writeFile(join(folder, WALLS), JSON.stringify({ ...walls, exceptions: [] }));
  await run(process.execPath, [SCRIPT, '--root', folder]);
  const faults = (await lint(folder)).map((fault) => fault.replace(/:\d+/, ''));
  expect([...new Set(faults)].toSorted()).toEqual(excepted.map(({ rule, file }) => `${file} ${rule}`).toSorted());
});
