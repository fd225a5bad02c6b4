import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { APPS } from '../apps/cli/src/start/apps.ts';
import { readCompose, serviceOf } from './support/compose.ts';

const compose = readCompose();

function readText(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}

describe('docker-compose.yml', () => {
  const services = Object.entries(compose.services);

  it('has Redis write everything through and evict nothing', () => {
    expect(serviceOf(compose, 'redis').command).toBe(
      "redis-server --appendonly yes --appendfsync always --maxmemory-policy noeviction --save ''",
    );
  });

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
    const { networks, environment, depends_on } = serviceOf(compose, 'receiver');
    expect(networks.filter((name) => serviceOf(compose, 'postgres').networks.includes(name))).toEqual([]);
    expect(JSON.stringify(environment)).not.toMatch(/postgres|DATABASE|PGPASSWORD/i);
    expect(Object.keys(depends_on)).toEqual(['redis']);
  });

  it('publishes the receiver, the dashboard on loopback only, and nothing else', () => {
    const published = services.flatMap(([name, { ports }]) => ports.map((port) => [name, port]));
    expect(published).toEqual([
      ['receiver', '${PORT:-3000}:3000'],
      ['dashboard', '127.0.0.1:${DASHBOARD_PORT:-3001}:3001'],
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

  it('checks the health of every service that stays, and waits for the one that does not', () => {
    for (const [name, { healthcheck, restart }] of services) {
      if (name === 'migrate') continue;
      expect([name, healthcheck.disable, healthcheck.test.length > 1]).toEqual([name, false, true]);
      expect(restart).toBe('unless-stopped');
    }
    expect(serviceOf(compose, 'worker').depends_on['migrate']?.condition).toBe('service_completed_successfully');
  });

  it.each(['worker', 'dashboard', 'receiver'] as const)('runs %s as npm start does', (name) => {
    const nodeOptions = APPS.find((app) => app.name === name)?.nodeOptions ?? [];
    expect(serviceOf(compose, name).command).toEqual(['node', ...nodeOptions, `apps/${name}/dist/main.js`]);
  });

  it('names only services, networks and volumes that there are', () => {
    for (const [, { depends_on, networks }] of services) {
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(Object.keys(depends_on)));
      expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(networks));
      for (const [dependency, { condition }] of Object.entries(depends_on)) {
        const wanted = dependency === 'migrate' ? 'service_completed_successfully' : 'service_healthy';
        expect([dependency, condition]).toEqual([dependency, wanted]);
      }
    }
  });

  it('names only variables of .env.example, and has no default for a secret', () => {
    const known = new Set([...readText('.env.example').matchAll(/^#?\s*([A-Z_]+)=/gm)].map(([, name]) => name));
    const substituted = [...readText('docker-compose.yml').matchAll(/\$\{(\w+)(:[?-])?/g)];
    const passedOn = services.flatMap(([, { environment }]) =>
      Object.keys(environment).filter((name) => environment[name] === null),
    );
    expect([...substituted.map(([, name]) => name), ...passedOn].filter((name) => !known.has(name))).toEqual([]);
    const required = substituted.filter(([, , kind]) => kind === ':?').map(([, name]) => name);
    const secrets = ['ELEVENLABS_WEBHOOK_SECRET', 'DASHBOARD_PASSWORD', 'POSTGRES_PASSWORD'];
    expect(new Set(required)).toEqual(new Set(secrets));
  });

  it.each(['migrate', 'receiver', 'worker', 'dashboard'])('runs %s with no more rights than it needs', (name) => {
    expect(serviceOf(compose, name)).toMatchObject({
      read_only: true,
      init: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  it.each([
    ['receiver', '75s'], // and DRAIN_SECONDS, up to a minute
    ['worker', '15s'],
    ['dashboard', '15s'],
  ])('gives %s longer to stop than the ten seconds it takes: %s', (name, period) => {
    expect(serviceOf(compose, name).stop_grace_period).toBe(period);
  });

  it('opens the port for health and metrics to its own networks alone', () => {
    const { environment, ports } = serviceOf(compose, 'receiver');
    expect(environment).toMatchObject({ HEALTH_HOST: '0.0.0.0', HEALTH_PORT: 3004 });
    expect(ports.filter((port) => port.includes('3004'))).toEqual([]);
  });
});
