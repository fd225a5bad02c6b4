import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `<root>/.env` and adds `env`, which wins. A variable of `env` also hides its other form in .env: DATABASE_URL hides
 * DATABASE_URL_FILE, and the other way round.
 *
 * @returns The variables; only those of `env` where there is no .env.
 * @throws  When .env exists and cannot be read.
 */
export async function readEnvFile(root: string, env: Environment): Promise<Environment> {
  const text = await readFile(join(root, '.env'), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  const hidden = new Set(Object.entries(env).flatMap(([name, value]) => otherForm(name, value)));
  const below = Object.entries(parseEnv(text)).filter(([name]) => !hidden.has(name));
  return { ...Object.fromEntries(below), ...env };
}

/** Answers the form of a secret that the variable `name` hides in .env. An empty `<NAME>_FILE` hides nothing, because it names no file. */
function otherForm(name: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  if (!name.endsWith('_FILE')) return [`${name}_FILE`];
  return value === '' ? [] : [name.slice(0, -'_FILE'.length)];
}

/**
 * Makes `<root>/.env` (mode 600) from `.env.example`, with a random webhook secret, a random dashboard password, and random
 * tokens for the API and the initiation. It never changes an existing .env.
 *
 * @returns Whether it made the file.
 * @throws  When `.env.example` cannot be read, or `.env` cannot be written.
 */
export async function makeEnvFile(root: string): Promise<boolean> {
  const example = await readFile(join(root, '.env.example'), 'utf8');
  const text = example
    .replace(/^ELEVENLABS_WEBHOOK_SECRET=.*$/m, `ELEVENLABS_WEBHOOK_SECRET=wsec_${randomBytes(32).toString('hex')}`)
    .replace(/^DASHBOARD_PASSWORD=.*$/m, `DASHBOARD_PASSWORD=${randomBytes(18).toString('base64url')}`)
    .replace(/^API_TOKEN=.*$/m, `API_TOKEN=${randomBytes(24).toString('hex')}`)
    .replace(/^INITIATION_TOKEN=.*$/m, `INITIATION_TOKEN=${randomBytes(24).toString('hex')}`);
  return writeFile(join(root, '.env'), text, { mode: 0o600, flag: 'wx' }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    },
  );
}
