import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '@landline/local-servers';
import { describe, expect, it } from 'vitest';
import { APPS } from '../apps/cli/src/start/apps.ts';
import { environmentOf, readCompose, serviceOf } from './support/compose.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const compose = readCompose();
/** The services that end when their work is done. */
const ONCE = ['roles', 'migrate', 'landline'];

function readText(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}

describe('docker-compose.yml', () => {
  const services = Object.entries(compose.services);

  it('keeps Redis and Postgres on volumes', () => {
    for (const [name, folder] of [
      ['redis', '/data'],
      ['postgres', '/var/lib/postgresql/data'],
    ] as const) {
      expect(serviceOf(compose, name).volumes).toEqual([`${name}:${folder}`]);
      expect(Object.keys(compose.volumes)).toContain(name);
    }
  });

  it('gives the receiver no way to Postgres: no network, no address, no password', () => {
    const { networks, environment, depends_on, volumes } = serviceOf(compose, 'receiver');
    expect(networks.filter((name) => serviceOf(compose, 'postgres').networks.includes(name))).toEqual([]);
    expect(JSON.stringify({ environment, volumes })).not.toMatch(/postgres|DATABASE|PGPASSWORD|roles/i);
    expect(Object.keys(depends_on)).toEqual(['redis']);
  });

  it('has one service log in as the superuser, and every other as the role that its work takes', () => {
    const superusers = services.filter(([, { environment }]) =>
      /POSTGRES_PASSWORD|:\/\/landline@/.test(JSON.stringify(environment)),
    );
    expect(superusers.map(([name]) => name)).toEqual(['postgres', 'roles']);
    const logins = services.flatMap(([name, { environment, volumes }]) =>
      Object.entries(environment).flatMap(([variable, value]) =>
        /(?:DATABASE|DIRECT)_URL_FILE$/.test(variable) ? [[name, variable, value, volumes]] : [],
      ),
    );
    expect(logins).toEqual([
      ['migrate', 'DIRECT_URL_FILE', '/roles/owner/url', ['owner:/roles/owner:ro']],
      ['landline', 'READER_DATABASE_URL_FILE', '/roles/reader/url', ['reader:/roles/reader:ro']],
      [
        'worker',
        'DATABASE_URL_FILE',
        '/roles/worker/url',
        ['worker:/roles/worker:ro', 'spool:/spool', 'recordings:/recordings'],
      ],
      [
        'dashboard',
        'READER_DATABASE_URL_FILE',
        '/roles/reader/url',
        ['reader:/roles/reader:ro', 'recordings:/recordings:ro'],
      ],
      ['initiation', 'READER_DATABASE_URL_FILE', '/roles/reader/url', ['reader:/roles/reader:ro']],
    ]);
    // The service `roles` writes these files.
    const { command, volumes } = serviceOf(compose, 'roles');
    expect(command).toEqual(['node', 'apps/cli/dist/main.js', 'roles', '/roles', '--new-passwords']);
    expect(volumes).toEqual(['owner:/roles/owner', 'worker:/roles/worker', 'reader:/roles/reader']);
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(['owner', 'worker', 'reader']));
  });

  it('takes each secret from a file instead, where .env names one', () => {
    const several: Readonly<Record<string, string[]>> = {
      dashboard: ['dashboard_password', 'api_token'],
      worker: ['webhook_secret', 'api_key'],
      monitor: ['webhook_secret', 'api_key'],
    };
    for (const [service, variable, secret] of [
      ['receiver', 'ELEVENLABS_WEBHOOK_SECRET', 'webhook_secret'],
      ['worker', 'ELEVENLABS_WEBHOOK_SECRET', 'webhook_secret'],
      ['worker', 'ELEVENLABS_API_KEY', 'api_key'],
      ['landline', 'ELEVENLABS_API_KEY', 'api_key'],
      ['dashboard', 'DASHBOARD_PASSWORD', 'dashboard_password'],
      ['dashboard', 'API_TOKEN', 'api_token'],
      ['initiation', 'INITIATION_TOKEN', 'initiation_token'],
      ['monitor', 'ELEVENLABS_API_KEY', 'api_key'],
      ['monitor', 'ELEVENLABS_WEBHOOK_SECRET', 'webhook_secret'],
      ['postgres', 'POSTGRES_PASSWORD', 'postgres_password'],
      ['roles', 'POSTGRES_PASSWORD', 'postgres_password'],
    ] as const) {
      const name = service === 'roles' ? 'PGPASSWORD' : variable;
      expect(serviceOf(compose, service).secrets).toEqual(several[service] ?? [secret]);
      expect(compose.secrets[secret]).toEqual({ file: `\${${variable}_FILE:-/dev/null}` });
      const read = (given: Record<string, string>) => environmentOf(serviceOf(compose, service), given);
      expect(read({ [`${variable}_FILE`]: './secret' })).toMatchObject({
        [name]: '',
        [`${name}_FILE`]: `/run/secrets/${secret}`,
      });
      expect(read({ [variable]: 'secret' })).toMatchObject({ [name]: 'secret', [`${name}_FILE`]: '' });
    }
  });

  it('publishes the receiver and the initiation, the dashboard on loopback only, and nothing else', () => {
    const published = services.flatMap(([name, { ports }]) => ports.map((port) => [name, port]));
    expect(published).toEqual([
      ['receiver', '${PORT:-3000}:3000'],
      ['dashboard', '127.0.0.1:${DASHBOARD_PORT:-3001}:3001'],
      ['initiation', '${INITIATION_PORT:-3003}:3003'],
    ]);
    for (const name of ['redis', 'postgres']) {
      for (const network of serviceOf(compose, name).networks) expect(compose.networks[network]?.internal).toBe(true);
    }
    // An internal network alone cannot publish a port.
    for (const [name] of published) {
      const open = serviceOf(compose, name ?? '').networks.filter((network) => !compose.networks[network]?.internal);
      expect(open).toHaveLength(1);
    }
  });

  it('lets the worker and the dashboard reach the storage where the receiver keeps recordings', () => {
    const receiver = serviceOf(compose, 'receiver');
    const storage = ['RECORDINGS_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION'];
    for (const [other, volume] of [
      ['worker', 'recordings:/recordings'],
      // It only reads.
      ['dashboard', 'recordings:/recordings:ro'],
    ] as const) {
      const { environment, volumes, networks } = serviceOf(compose, other);
      for (const name of storage) expect([name, environment[name]]).toEqual([name, receiver.environment[name]]);
      expect(volumes).toContain(volume);
      expect(networks.some((network) => compose.networks[network]?.internal !== true)).toBe(true);
    }
  });

  it('lets those who ask the provider out, and keeps what is fetched where the receiver keeps large bodies', () => {
    for (const name of ['worker', 'landline']) {
      const { environment, networks } = serviceOf(compose, name);
      expect(networks).toContain('internet');
      expect(environment).toMatchObject({ ELEVENLABS_API_URL: null, PUBLIC_URL: null, RECONCILE_WINDOW_HOURS: null });
    }
    for (const name of ['worker', 'receiver']) {
      const { environment, volumes } = serviceOf(compose, name);
      expect(environment['SPOOL_DIR']).toBe('/spool');
      expect(volumes).toContain('spool:/spool');
    }
  });

  it('checks the health of every service that stays, and waits for the one that does not', () => {
    for (const [name, { healthcheck, restart }] of services) {
      if (ONCE.includes(name)) continue;
      expect([name, healthcheck.disable, healthcheck.test.length > 1]).toEqual([name, false, true]);
      expect(restart).toBe('unless-stopped');
    }
    expect(serviceOf(compose, 'worker').depends_on['migrate']?.condition).toBe('service_completed_successfully');
    expect(serviceOf(compose, 'migrate').depends_on['roles']?.condition).toBe('service_completed_successfully');
    expect(serviceOf(compose, 'landline').profiles).toEqual(['tools']);
  });

  it('runs the monitor only where its profile is asked for, with a way to the provider and the receiver, and to nothing else', () => {
    const { profiles, networks, environment, depends_on } = serviceOf(compose, 'monitor');
    expect([profiles, networks, depends_on]).toEqual([['monitor'], ['internet'], {}]);
    expect(serviceOf(compose, 'receiver').networks).toContain('internet');
    expect(environment).toMatchObject({
      MONITOR: 'on',
      MONITOR_WEBHOOK_URL: 'http://receiver:3000/api/elevenlabs/webhook',
    });
  });

  it.each(['worker', 'receiver', 'monitor'] as const)('runs %s as npm start does', (name) => {
    const nodeOptions = APPS.find((app) => app.name === name)?.nodeOptions ?? [];
    expect(serviceOf(compose, name).command).toEqual(['node', ...nodeOptions, `apps/${name}/dist/main.js`]);
  });

  it.each([
    ['initiation', 'nothing', []],
    ['dashboard', 'Redis', ['redis']],
  ])('lets the %s wait for the URL of its role, and beside it for %s', async (name, _, others) => {
    const { command, depends_on, restart } = serviceOf(compose, name);
    expect([Object.keys(depends_on), restart]).toEqual([others, 'unless-stopped']);
    const [shell = '', option = '', script = ''] = command;
    const nodeOptions = APPS.find((app) => app.name === name)?.nodeOptions ?? [];
    const program = ['exec', 'node', ...nodeOptions, `apps/${name}/dist/main.js`].join(' ');
    expect([shell, option, script.endsWith(`; ${program}`)]).toEqual(['sh', '-c', true]);

    const file = join(await makeTempFolder(), 'url');
    const trial = script
      .replaceAll('$$', '$')
      .replace(program, 'echo started')
      .replace('sleep 1', 'echo waits; sleep 0.05');
    const env = { PATH: process.env['PATH'], READER_DATABASE_URL_FILE: file };
    const { exited, output, until } = await startProcess({ command: shell, args: [option, trial], env });
    await until(() => output() !== '');
    await writeFile(file, 'postgresql://landline_reader@postgres/landline\n');
    expect(await exited).toEqual([0, null]);
    expect(output()).toMatch(/^(waits\n)+started\n$/);
  });

  it('names only services, networks and volumes that there are', () => {
    for (const [, { depends_on, networks }] of services) {
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(Object.keys(depends_on)));
      expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(networks));
      for (const [dependency, { condition }] of Object.entries(depends_on)) {
        const wanted = ONCE.includes(dependency) ? 'service_completed_successfully' : 'service_healthy';
        expect([dependency, condition]).toEqual([dependency, wanted]);
      }
    }
  });

  it('names only variables of .env.example, and has no default for a secret', () => {
    const known = new Set([...readText('.env.example').matchAll(/^#?\s*([A-Z_]+)=/gm)].map(([, name]) => name));
    const substituted = [...readText('docker-compose.yml').matchAll(/\$\{(\w+)(:[?+-])?/g)];
    const passedOn = services.flatMap(([, { environment }]) =>
      Object.keys(environment).filter((name) => environment[name] === null),
    );
    const names = [...substituted.flatMap(([, name]) => name ?? []), ...passedOn];
    expect(names.filter((name) => !known.has(name.replace(/_FILE$/, '')))).toEqual([]);
    // Compose stops where neither form is set; a default behind :- is empty or no secret.
    const secrets = ['ELEVENLABS_WEBHOOK_SECRET', 'DASHBOARD_PASSWORD', 'POSTGRES_PASSWORD'];
    expect(compose['x-required'].map((line) => line.replace(/:\?set .*$/, ''))).toEqual(
      secrets.map((name) => `\${${name}_FILE:-\${${name}`),
    );
    for (const name of [...secrets, 'API_TOKEN', 'INITIATION_TOKEN', 'ELEVENLABS_API_KEY'])
      expect(readText('docker-compose.yml')).not.toMatch(new RegExp(`\\$\\{${name}:-[^}]`));
  });

  it.each(['roles', 'migrate', 'landline', 'receiver', 'worker', 'dashboard', 'initiation', 'monitor'])(
    'runs %s with no more rights than it needs',
    (name) => {
      expect(serviceOf(compose, name)).toMatchObject({
        read_only: true,
        init: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    },
  );

  it.each([
    ['receiver', '75s'], // and DRAIN_SECONDS, up to a minute
    ['worker', '15s'],
    ['dashboard', '15s'],
    ['initiation', '15s'],
    ['monitor', '15s'],
  ])('gives %s longer to stop than the ten seconds it takes: %s', (name, period) => {
    expect(serviceOf(compose, name).stop_grace_period).toBe(period);
  });

  it('opens the port for health and metrics to its own networks alone', () => {
    const { environment, ports } = serviceOf(compose, 'receiver');
    expect(environment).toMatchObject({ HEALTH_HOST: '0.0.0.0', HEALTH_PORT: 3004 });
    expect(ports.filter((port) => port.includes('3004'))).toEqual([]);
  });
});
