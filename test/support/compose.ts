import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const service = z.object({
  command: z.union([z.string(), z.array(z.string())]).default([]),
  profiles: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()).default([]), disable: z.boolean().default(false) }),
  restart: z.string(),
  read_only: z.boolean().default(false),
  init: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  stop_grace_period: z.string().default('10s'),
});

const file = z.object({
  'x-required': z.array(z.string()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) }).nullable()),
  volumes: z.record(z.string(), z.null()),
});

/** The keys of a service of docker-compose.yml that the tests read. */
export type ComposeService = z.infer<typeof service>;

/** docker-compose.yml as Compose reads it: merged, and with Compose's defaults. */
export type ComposeFile = z.infer<typeof file>;

/** Reads docker-compose.yml; throws on a key that has another shape. */
export function readCompose(): ComposeFile {
  const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  return file.parse(parse(text, { merge: true }));
}

/** Returns a service by name; throws where there is none. */
export function serviceOf(compose: ComposeFile, name: string): ComposeService {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** Returns a service's variables as its process gets them, with `given` in place of the shell and .env. */
export function environmentOf(
  { environment }: ComposeService,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const set = Object.entries(environment).filter(([, value]) => value !== null);
  return Object.fromEntries(set.map(([name, value]) => [name, substitute(String(value), given)]));
}

function substitute(value: string, given: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\{(\w+):?([?+-])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    if (kind === '+') return given[name] ? rest : '';
    const answer = given[name] ?? (kind === '-' ? rest : undefined);
    if (answer === undefined) throw new Error(`${name}: ${rest}`);
    return answer;
  });
}
