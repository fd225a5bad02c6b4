import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startPostgres, startProcess } from '@landline/local-servers';
import { expect, it, onTestFinished } from 'vitest';
import { startApp, type AppProcess } from './support/app-process.ts';
import { buildOverlay } from './support/overlay.ts';
import { get } from './support/post.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { chooseQuietPort } from './support/quiet-port.ts';
import { ROOT } from './support/root.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { containersOf, environmentOf, secretFilesOf, workloadOf, type Container } from './support/workloads.ts';

// The test needs no cluster: it starts the processes of the overlay small with the commands, variables and files of the manifests, on
// servers of this machine, and asks what the probes ask.

const manifests = buildOverlay('small');
const APPS = ['receiver', 'worker', 'dashboard', 'initiation'] as const;
/** On this machine each process listens on a free port, on loopback. */
const HERE = {
  HOST: '127.0.0.1',
  HEALTH_HOST: '127.0.0.1',
  PORT: '0',
  HEALTH_PORT: '0',
  WORKER_PORT: '0',
  DASHBOARD_PORT: '0',
  INITIATION_PORT: '0',
  DRAIN_SECONDS: '0',
};

/** Returns what a text of the manifests means on this machine. */
type Place = (text: string) => string;

/** Starts the servers, and lays out the files of the secrets. */
async function aNamespace(): Promise<Place> {
  const folder = await makeTempFolder();
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPostgres({ dir: join(folder, 'postgres'), port: await chooseQuietPort() });
  onTestFinished(() => postgres.stop());
  const place: Place = (text) =>
    text
      .replaceAll(/(?<!\w)\/(run|data|recordings|roles)(?=[/"\s]|$)/g, `${folder}/$1`)
      .replaceAll('landline-postgres:5432', new URL(postgres.url).host)
      .replaceAll('redis://landline-redis:6379', redis.url);
  for (const name of APPS) {
    const workload = workloadOf(manifests, name);
    for (const container of containersOf(workload)) {
      for (const [path, text] of Object.entries(secretFilesOf(manifests, workload, container))) {
        // oxlint-disable no-await-in-loop -- a few files
        await mkdir(dirname(place(path)), { recursive: true });
        await writeFile(place(path), place(text));
      }
    }
  }
  await writeFile(place('/run/secrets/landline/postgres/password'), new URL(postgres.url).password);
  return place;
}

function placedEnvironment(container: Container, place: Place): Record<string, string> {
  const given = Object.entries(environmentOf(manifests, container)).map(([name, value]) => [name, place(value)]);
  return Object.fromEntries(given);
}

/** Runs a container that runs first, to its end. */
async function runFirst(container: Container, place: Place): Promise<unknown> {
  const [command = '', ...args] = container.command.map(place);
  const { PATH } = process.env;
  const { exited, output } = await startProcess({
    command,
    args,
    cwd: ROOT,
    env: { PATH, ...placedEnvironment(container, place) },
  });
  const [code] = await exited;
  return code === 0 ? 0 : output();
}

async function startContainer(name: (typeof APPS)[number], place: Place): Promise<AppProcess> {
  const container = workloadOf(manifests, name).spec.template.spec.containers[0];
  const app = await startApp(name, { env: { ...placedEnvironment(container, place), ...HERE } });
  onTestFinished(async () => void (await app.stop()));
  return app;
}

/** Asks what the probes of a container ask. Returns the statuses of the answers. */
function askProbes(app: AppProcess, { livenessProbe, readinessProbe, startupProbe }: Container): Promise<number[]> {
  const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => {
    const origin = probe?.httpGet?.port === 'metrics' ? app.healthUrl : app.url;
    return get(`${origin}${probe?.httpGet?.path ?? '/'}`);
  });
  return Promise.all(asked).then((answers) => answers.map(({ status }) => status));
}

it('the overlay small, from its secrets to an event in the tables', async () => {
  const place = await aNamespace();
  for (const container of workloadOf(manifests, 'worker').spec.template.spec.initContainers) {
    expect([container.name, await runFirst(container, place)]).toEqual([container.name, 0]);
  }
  const receiver = await startContainer('receiver', place);
  const others = await Promise.all(
    (['worker', 'dashboard', 'initiation'] as const).map(
      async (name) => [name, await startContainer(name, place)] as const,
    ),
  );
  for (const [name, app] of [['receiver', receiver] as const, ...others]) {
    const container = workloadOf(manifests, name).spec.template.spec.containers[0];
    // The dashboard's probe opens its port alone; without the login every path answers 401.
    const expected = name === 'dashboard' ? 401 : 200;
    await expect.poll(() => askProbes(app, container), { timeout: 20_000 }).toEqual([expected, expected, expected]);
    expect((await get(`${app.healthUrl}/metrics`)).status).toBe(expected);
  }
  // As docs/kubernetes.md has it: by the command line of the image, in the pods.
  const sent = await runIn('receiver', ['send', 'conversation.started'], { place, PORT: new URL(receiver.url).port });
  expect(sent).toContain('1 of 1 accepted');
  const query = 'SELECT count(*) AS found FROM conversations';
  await expect
    .poll(() => runIn('initiation', ['sql', query], { place }), { timeout: 60_000, interval: 500 })
    .toMatch(/found\s+-+\s+1\s/);
});

/** Runs a command of `landline` with the variables of a pod. Returns its output. */
async function runIn(
  name: (typeof APPS)[number],
  command: readonly string[],
  { place, ...env }: { place: Place; PORT?: string },
): Promise<string> {
  const container = workloadOf(manifests, name).spec.template.spec.containers[0];
  const script = join(ROOT, 'apps/cli/dist/main.js');
  const { exited, output } = await startProcess({
    command: process.execPath,
    args: [script, ...command],
    env: { PATH: process.env['PATH'], ...placedEnvironment(container, place), ...env },
  });
  await exited;
  return output();
}
