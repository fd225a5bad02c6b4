import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess, type StartedProcess } from '@landline/local-servers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { environmentOf, readCompose, serviceOf } from './support/compose.ts';
import { copyContext, parseDockerfile, runStage, valueOf, type Stage } from './support/dockerfile.ts';
import { chooseQuietPort } from './support/quiet-port.ts';
import { runSql } from './support/run-sql.ts';

// The test needs no Docker: it runs the Dockerfile's own commands in a clean folder. Then it starts the result with the
// commands, the variables and the health checks of docker-compose.yml.

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const SERVERS = { receiver: '3000', worker: '3002', dashboard: '3001', initiation: '3003', monitor: '3005' } as const;
const compose = readCompose();

function text(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}

describe('the image', () => {
  const password = randomBytes(24).toString('base64');
  const database = `image_${randomUUID().replaceAll('-', '')}`;
  const started: StartedProcess[] = [];
  let build: Stage = [];
  let final: Stage = [];
  let folder = '';
  let app = '';
  let roles = '';

  beforeAll(async () => {
    [build = [], final = []] = parseDockerfile(await text('Dockerfile'));
    folder = await mkdtemp(join(tmpdir(), 'landline-image-'));
    await chmod(folder, 0o755); // the processes run as another user than root
    const context = join(folder, 'context');
    app = join(folder, 'app');
    await copyContext(ROOT, context);
    await mkdir(app);
    roles = join(folder, 'roles');
    await mkdir(roles);
    await chmod(roles, 0o777);
    await runStage(build, { context, workdir: app });
    await runSql(inject('databaseUrl'), `CREATE DATABASE ${database} TEMPLATE template0`);
  }, 420_000);

  afterAll(async () => {
    for (const { kill } of started) kill('SIGKILL');
    await Promise.all(started.map(({ exited }) => exited));
    await runSql(inject('databaseUrl'), `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    for (const role of ['owner', 'worker', 'reader']) {
      // oxlint-disable-next-line no-await-in-loop -- three
      await runSql(inject('databaseUrl'), `DROP ROLE IF EXISTS landline_${role}`);
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** Starts a service as Compose would: its command and its variables, with the addresses of the test's own servers. */
  async function start(name: string, env: Record<string, string>): Promise<StartedProcess> {
    const service = serviceOf(compose, name);
    // The volumes of the roles are a folder here. Compose reads $$ as $.
    const [command = '', ...args] = [service.command]
      .flat()
      .map((word) => (word === '/roles' ? roles : word.replaceAll('$$', '$')));
    const secrets = ['POSTGRES_PASSWORD', 'DASHBOARD_PASSWORD', 'ELEVENLABS_WEBHOOK_SECRET', 'ELEVENLABS_API_KEY'];
    const given = Object.fromEntries(secrets.map((secret) => [secret, password]));
    const { PATH = '' } = process.env;
    const child = await startProcess({
      command,
      args,
      cwd: app,
      env: { PATH, ...environmentOf(service, given), LOG_LEVEL: 'warn', ...env },
      output: 'inherit',
      endsWithUs: true,
      // As the image does: not as root, who could write where it should not.
      account: process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : undefined,
    });
    started.push(child);
    return child;
  }

  /** The superuser's variables, the password apart from the address as in docker-compose.yml. */
  function adminAddress(): Record<string, string> {
    const url = new URL(inject('databaseUrl'));
    const PGPASSWORD = decodeURIComponent(url.password);
    url.password = '';
    url.pathname = database;
    return { ADMIN_DATABASE_URL: url.href, PGPASSWORD };
  }

  it('runs as a user other than root, with the receiver as its default', () => {
    expect(valueOf(final, 'USER')).toBe('node');
    expect(valueOf(final, 'WORKDIR')).toBe(valueOf(build, 'WORKDIR'));
    expect(valueOf(final, 'COPY')).toBe(`--from=build ${valueOf(build, 'WORKDIR')} ./`);
    expect(valueOf(final, 'CMD')).toBe(JSON.stringify(serviceOf(compose, 'receiver').command).replaceAll(',', ', '));
    expect(valueOf(final, 'ENV')).toBe('NODE_ENV=production');
  });

  it('holds no development dependency, no Postgres and no secret', async () => {
    const flag = z.boolean().default(false);
    const lock = z
      .object({ packages: z.record(z.string(), z.object({ dev: flag, optional: flag, devOptional: flag })) })
      .parse(JSON.parse(await text('package-lock.json')));
    const omitted = Object.entries(lock.packages).filter(
      ([, entry]) => entry.dev || entry.optional || entry.devOptional,
    );
    const unwanted = [...omitted.map(([path]) => path), '.env', '.git', 'test', 'apps/receiver/test'];
    expect(unwanted).toEqual(expect.arrayContaining(['node_modules/vitest', 'node_modules/prisma']));
    const found = await Promise.all(
      unwanted.map((path) =>
        stat(join(app, path)).then(
          () => [path],
          () => [],
        ),
      ),
    );
    expect(found.flat()).toEqual([]);
  });

  it('makes the roles, and brings an empty database up to date as the owner, at each start', async () => {
    for (let i = 0; i < 2; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await (await start('roles', adminAddress())).exited).toEqual([0, null]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const migrate = await start('migrate', { DIRECT_URL_FILE: join(roles, 'owner', 'url') });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await migrate.exited).toEqual([0, null]);
    }
    const url = new URL(inject('databaseUrl'));
    url.pathname = database;
    expect(await runSql(url.href, 'SELECT count(*)::int AS rows FROM webhook_events')).toEqual([{ rows: 0 }]);
  });

  it.each(Object.entries(SERVERS))(
    'runs the %s until its signal to stop, seen by its own health check',
    async (name, port) => {
      const free = String(await chooseQuietPort());
      const [, program = '', ...args] = serviceOf(compose, name).healthcheck.test;
      const isHealthy = () => {
        const check = args.map((arg) => arg.replace(`127.0.0.1:${port}`, `127.0.0.1:${free}`));
        const { PATH } = process.env;
        return run(program, check, { env: { PATH, DASHBOARD_USER: 'admin', DASHBOARD_PASSWORD: password } }).then(
          () => true,
          () => false,
        );
      };
      expect(await isHealthy()).toBe(false);

      const addresses = {
        HOST: '127.0.0.1',
        REDIS_URL: `${inject('redisUrl')}/15`, // a database of its own: the worker takes what it finds
        PORT: free,
        HEALTH_PORT: '0',
        DRAIN_SECONDS: '0',
        WORKER_PORT: free,
        DASHBOARD_PORT: free,
        INITIATION_PORT: free,
        MONITOR_PORT: free,
        ELEVENLABS_API_URL: 'http://127.0.0.1:9', // nobody
      };
      const child = await start(name, {
        ...addresses,
        ...(name === 'worker' && { DATABASE_URL_FILE: join(roles, 'worker', 'url') }),
        ...((name === 'initiation' || name === 'dashboard') && {
          READER_DATABASE_URL_FILE: join(roles, 'reader', 'url'),
        }),
      });
      await child.until(isHealthy, { withinMs: 60_000, pollMs: 100 });
      expect(await child.stop()).toEqual([0, null]);
    },
  );
});
