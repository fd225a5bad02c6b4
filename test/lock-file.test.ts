import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';

const entry = z.object({
  link: z.boolean().default(false),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
});
const { packages } = z
  .object({ packages: z.record(z.string(), entry) })
  .parse(JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')));
const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);

test('the lock file holds the hash of every package, also of those for other systems: npm installs none unchecked', () => {
  expect(installed.length).toBeGreaterThan(400);
  const unchecked = installed.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
  expect(unchecked.map(([path]) => path)).toEqual([]);
});

test('the lock file names no host: packages come from the registry that npm is configured for', () => {
  expect(installed.flatMap(([, { resolved }]) => resolved ?? [])).toEqual([]);
  const links = Object.values(packages).filter(({ link }) => link);
  for (const { resolved } of links) expect(resolved).toMatch(/^(apps|packages)\/[a-z-]+$/);
});
