import { cp, readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { startApp, type AppProcess } from './support/app-process.ts';
import { audioCall } from './support/call-events.ts';
import { readCompose, serviceOf } from './support/compose.ts';
import { createDatabase } from './support/database.ts';
import { faultsOf } from './support/kubernetes-schemas.ts';
import { buildKustomization } from './support/kustomize.ts';
import { anOverlay, OVERLAYS } from './support/overlay.ts';
import { judgeOf } from './support/network-policies.ts';
import { post, SECRET } from './support/post.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { ROOT } from './support/root.ts';
import { runSql } from './support/run-sql.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { startTraceCollector, type TraceCollector } from './support/trace-collector.ts';
import { containerOf, workloadOf } from './support/workloads.ts';
import { readBlocks } from './typing/blocks.ts';

const blocks = readBlocks(readFileSync(join(ROOT, 'docs/observability.md'), 'utf8'));
const blockOf = (language: string, part: string): string => {
  const found = blocks.find(({ language: its, text }) => its === language && text.includes(part));
  if (found === undefined) throw new Error(`docs/observability.md has no ${language} with ${part}`);
  return found.text;
};

const SOON = { timeout: 30_000, interval: 50 };

/** Makes the folder of the recipe: with copies of the packages, so that the SDK does not share Landline's own API. */
async function aTelemetryFolder(): Promise<string> {
  const folder = await makeTempFolder();
  const packages = 'node_modules/@opentelemetry';
  await cp(join(ROOT, packages), join(folder, packages), { recursive: true, dereference: true });
  await writeFile(join(folder, 'telemetry.mjs'), blockOf('js', 'NodeTracerProvider'));
  return join(folder, 'telemetry.mjs');
}

const message = (text: string) =>
  JSON.stringify({ type: 'conversation.message', data: { conversation_id: 'conv_1', role: 'user', message: text } });

interface TracedOptions {
  /** Added to the environment of both. */
  variables?: Readonly<Record<string, string>>;
  /** In place of one that keeps what it is sent. */
  collector?: TraceCollector;
  /** How many copies of the SDK both load. */
  copies?: number;
}

function stopAtEnd(app: AppProcess): AppProcess {
  onTestFinished(async () => void (app.isRunning() && (await app.stop())));
  return app;
}

/** A receiver with journal and spool, a worker, and the recipe's SDK in both. */
async function startTraced({ variables = {}, collector: given, copies = 1 }: TracedOptions = {}) {
  const [collector, folder] = [given ?? (await startTraceCollector()), await makeTempFolder()];
  const sdks = await Promise.all(Array.from({ length: copies }, aTelemetryFolder));
  const imports = sdks.map((sdk) => `--import=${sdk}`);
  const [redis, database] = [await startPrivateRedis(), await createDatabase(inject('databaseUrl'))];
  onTestFinished(async () => {
    await redis.remove();
    await database.drop();
  });
  const shared = { REDIS_URL: redis.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...variables };
  const receiver = await startApp('receiver', {
    env: {
      ...shared,
      NODE_OPTIONS: imports.join(' '),
      ELEVENLABS_WEBHOOK_SECRET: SECRET,
      CANARY_INTERVAL_SECONDS: '0',
      JOURNAL_DIR: join(folder, 'journal'),
      RECORDINGS_URL: `file:${join(folder, 'recordings')}`,
    },
  });
  const startWorker = () =>
    startApp('worker', { env: { ...shared, DATABASE_URL: database.url }, nodeArguments: imports });
  return {
    redis,
    collector,
    receiver: stopAtEnd(receiver),
    startWorker: async () => stopAtEnd(await startWorker()),
    untilRows: (count: number) =>
      vi.waitUntil(
        async () => (await runSql(database.url, 'SELECT count(*)::int AS n FROM webhook_events'))[0]?.['n'] === count,
        SOON,
      ),
  };
}

const namesOf = (spans: readonly { traceId: string; spanId: string }[]) =>
  new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));

test('the SDK of the recipe gets a span of each request, and of the transactions that link to them: through Redis, the journal and the spool', async () => {
  const { redis, collector, receiver, startWorker, untilRows } = await startTraced();
  expect(receiver.output()).toContain('An OpenTelemetry SDK is loaded');
  const answers = [await post(receiver.url, message('through Redis'))];
  await redis.kill();
  answers.push(await post(receiver.url, message('through the journal')));
  answers.push(await post(receiver.url, audioCall('conv_2', 10_000).body));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  await redis.restart();
  const worker = await startWorker();
  await untilRows(3);
  // Stopped at once: what the SDK holds is sent on the way out.
  await Promise.all([receiver.stop(), worker.stop()]);

  const requests = collector.spansOf('landline-receiver');
  expect(requests.map(({ name, scope }) => [name, scope])).toEqual(
    requests.map(() => ['POST /api/elevenlabs/webhook', 'landline']),
  );
  expect(requests.map((span) => [span.attributes['landline.event.type'], span.attributes['landline.outcome']])).toEqual(
    [
      ['conversation.message', 'accepted'],
      ['conversation.message', 'accepted'],
      ['post_call_audio', 'spooled'],
    ],
  );
  const transactions = collector.spansOf('landline-worker');
  expect(new Set(transactions.map(({ name }) => name))).toEqual(new Set(['process webhook-events']));
  expect(namesOf(transactions.flatMap(({ links }) => links))).toEqual(namesOf(requests));
  expect(namesOf(requests).size).toBe(3);
});

test('the sampler of the recipe records no transaction whose requests it did not record', async () => {
  const { collector, receiver, startWorker, untilRows } = await startTraced({
    variables: { OTEL_TRACES_SAMPLER_ARG: '0' },
  });
  expect(receiver.output()).toContain('An OpenTelemetry SDK is loaded');
  await post(receiver.url, message('not recorded'));
  const worker = await startWorker();
  await untilRows(1);
  await Promise.all([receiver.stop(), worker.stop()]);
  expect([collector.spansOf('landline-receiver'), collector.spansOf('landline-worker')]).toEqual([[], []]);
});

test.each([
  ['is away', () => ({ url: 'http://127.0.0.1:1', spansOf: () => [] })],
  ['takes everything and answers nothing', () => startTraceCollector({ isSilent: true })],
])('a collector that %s holds up no event, and no process that leaves', async (_, start) => {
  const { receiver, startWorker, untilRows } = await startTraced({ collector: await start() });
  const worker = await startWorker();
  for (const app of [receiver, worker]) expect(app.output()).toContain('An OpenTelemetry SDK is loaded');
  expect((await post(receiver.url, message('one'))).status).toBe(200);
  await untilRows(1);
  const exits = await Promise.all([receiver.stop(), worker.stop()]);
  expect(exits.map(([code]) => code)).toEqual([0, 0]);
});

test('of two SDKs the first gets the traces: each span comes once', async () => {
  const { collector, receiver } = await startTraced({ copies: 2 });
  expect((await post(receiver.url, message('one'))).status).toBe(200);
  await receiver.stop();
  expect(collector.spansOf('landline-receiver').map(({ name }) => name)).toEqual(['POST /api/elevenlabs/webhook']);
});

test('docs/observability.md lists each attribute that the code sets, and no other', async () => {
  const page = readFileSync(join(ROOT, 'docs/observability.md'), 'utf8');
  const section = page.slice(page.indexOf('### Attributes'), page.indexOf('## An SDK'));
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const files = [
    'packages/process/src/span.ts',
    'apps/receiver/src/receive-span.ts',
    'apps/worker/src/commit/transaction-span.ts',
  ];
  const code = (await Promise.all(files.map((file) => readFile(join(ROOT, file), 'utf8')))).join('\n');
  const set = [...code.matchAll(/'([a-z_]+(?:\.[a-z_]+)+)':/g)].map(([, name]) => name);
  expect(set.length).toBeGreaterThan(15);
  expect(new Set(listed)).toEqual(new Set(set));
});

const aPodIn = (namespace: string) => ({
  labels: {},
  namespace: { name: namespace, labels: { 'kubernetes.io/metadata.name': namespace } },
});

describe('the recipe', () => {
  test('for Compose changes nothing of a command but that it loads the SDK', () => {
    const service = z.object({ command: z.array(z.string()).optional(), networks: z.array(z.string()).default([]) });
    const { services } = z
      .object({ services: z.record(z.string(), service) })
      .parse(parse(blockOf('yaml', 'otel/opentelemetry-collector')));
    const compose = readCompose();
    for (const name of ['receiver', 'worker']) {
      const { command = [] } = services[name] ?? {};
      expect(command.filter((word) => !word.startsWith('--import='))).toEqual(serviceOf(compose, name).command);
      expect(command).toContain('--import=/telemetry/telemetry.mjs');
      const { networks } = serviceOf(compose, name);
      expect(services['collector']?.networks.some((network) => networks.includes(network))).toBe(true);
    }
  });

  test('for npm start names a file and variables that the apps get', () => {
    expect(blockOf('dotenv', 'NODE_OPTIONS')).toMatch(/^NODE_OPTIONS=--import=\/opt\/telemetry\/telemetry\.mjs$/m);
    expect(blockOf('sh', 'npm install')).toContain('mkdir -p /opt/telemetry');
  });

  test('installs the packages that its file imports', async () => {
    const imported = [...blockOf('js', 'NodeTracerProvider').matchAll(/from '(@[^']+)'/g)].map(([, name]) => name);
    const installed = [...blockOf('sh', 'npm install').matchAll(/(@[\w-]+\/[\w-]+)/g)].map(([, name]) => name);
    expect(new Set(installed)).toEqual(new Set(imported));
    const own = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(ROOT, 'node_modules/@opentelemetry/api/package.json'), 'utf8')));
    // Landline's API serves no older one.
    const [major, minor] = own.version.split('.');
    expect(blockOf('sh', 'npm install')).toContain(`@opentelemetry/api@${major}.${minor} `);
  });

  test.each(OVERLAYS)('for Kubernetes makes manifests that the API takes, over %s', async (overlay) => {
    const { folder } = anOverlay(overlay);
    const file = join(folder, 'kustomization.yaml');
    const plain = buildKustomization(folder);
    const { components = [], ...rest } = z
      .looseObject({ components: z.array(z.string()).optional() })
      .parse(parse(await readFile(file, 'utf8')));
    const added = z.object({ components: z.array(z.string()) }).parse(parse(blockOf('yaml', 'components/traces')));
    await writeFile(file, JSON.stringify({ ...rest, components: [...components, ...added.components] }));
    const traced = buildKustomization(folder);
    expect((await Promise.all(traced.map(faultsOf))).flat()).toEqual([]);
    const { mayReach } = judgeOf(traced, 'landline');
    for (const name of ['receiver', 'worker']) {
      const { command } = containerOf(traced, name);
      expect(command).toContain('--import=/telemetry/telemetry.mjs');
      expect(command.filter((word) => !word.startsWith('--import='))).toEqual(containerOf(plain, name).command);
      const { labels } = workloadOf(traced, name).spec.template.metadata;
      const pod = { labels, namespace: { name: 'landline', labels: {} } };
      expect(mayReach(pod, aPodIn('observability'), { number: 4318 })).toBe(true);
      expect(mayReach(pod, aPodIn('elsewhere'), { number: 4318 })).toBe(false);
    }
  });
});
