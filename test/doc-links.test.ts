import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

function markdownOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : []));
}

const files = ['', 'docs', 'bench', 'test/faults'].flatMap(markdownOf);

/** Returns a page without its blocks of code. */
function proseOf(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(/^ *```[^]*?^ *```$/gm, '');
}

/** Returns the names that GitHub gives to the headings of a page. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(file).matchAll(/^#+ (.+)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let i = 1; anchors.has(name); i++) name = `${slug}-${i}`;
    anchors.add(name);
  }
  return anchors;
}

/** Returns why a relative link is broken; undefined where it is not. */
function brokenLink(from: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(ROOT, from) : join(ROOT, dirname(from), decodeURIComponent(path));
  if (!existsSync(target)) return `${link}: there is no such file`;
  const isThere = anchor === undefined || !target.endsWith('.md') || anchorsOf(target).has(decodeURIComponent(anchor));
  return isThere ? undefined : `${link}: there is no such heading`;
}

test.each(files)('%s: each relative link leads to a file and a heading that exist', (file) => {
  const links = [...proseOf(join(ROOT, file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const relative = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(relative.flatMap((link) => brokenLink(file, link) ?? [])).toEqual([]);
});

test('the README, the guides and the page about Postgres are among them', () => {
  expect(files).toEqual(expect.arrayContaining(['README.md', 'docs/setup.md', 'docs/setup.ar.md', 'docs/postgres.md']));
});
