import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `<root>/.env` under `env`, which wins. A value there also hides its other form in .env: DATABASE_URL hides
 * DATABASE_URL_FILE, and the other way round. No file is no fault.
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

/** The form of a secret that `name` in the environment hides in .env. Set to nothing, a file hides none: it names none. */
function otherForm(name: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  if (!name.endsWith('_FILE')) return [`${name}_FILE`];
  return value === '' ? [] : [name.slice(0, -'_FILE'.length)];
}

/**
 * Makes `<root>/.env` (mode 600) from `.env.example`, with a random webhook secret, a random dashboard password and a random
 * initiation token. One that is there is never touched.
 *
 * @returns Whether it was made.
 */
export async function makeEnvFile(root: string): Promise<boolean> {
  const example = await readFile(join(root, '.env.example'), 'utf8');
  const text = example
    .replace(/^ELEVENLABS_WEBHOOK_SECRET=.*$/m, `ELEVENLABS_WEBHOOK_SECRET=wsec_${randomBytes(32).toString('hex')}`)
    .replace(/^DASHBOARD_PASSWORD=.*$/m, `DASHBOARD_PASSWORD=${randomBytes(18).toString('base64url')}`)
    .replace(/^INITIATION_TOKEN=.*$/m, `INITIATION_TOKEN=${randomBytes(24).toString('hex')}`);
  return writeFile(join(root, '.env'), text, { mode: 0o600, flag: 'wx' }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    },
  );
}
