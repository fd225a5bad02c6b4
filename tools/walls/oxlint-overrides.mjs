/** Folders in the path of a relative import that leaves the package. No folder below src/ has such a name. */
const OTHER_FOLDERS = 'apps|bench|dist|node_modules|packages|prisma|src|test|tools';

const INDEX_FROM_INSIDE = {
  regex: '^\\.{1,2}(/.*)?/index\\.[jt]s$|^[./]+$',
  message: 'index.ts is for other packages: import the file itself.',
};
const INNER_FILE = {
  regex: `^\\.{1,2}/(.*/)?(${OTHER_FOLDERS})/`,
  message: 'This path leaves the package: import the other package by its name.',
};
/** For tests: they lie beside `src`, so a path through `src` is right only in their own package. */
const INNER_FILE_OF_ANOTHER = {
  regex: '^(\\.{1,2}/)+[a-z][a-z-]*/(.*/)?src/',
  message: "Another package's inner file: import the package by its name.",
};
const INNER_FILE_OF_A_PACKAGE = {
  regex: '^(\\.{1,2}/)+packages/(.*/)?src/',
  message: "A package's inner file: import the package by its name.",
};
const ENVIRONMENT = {
  name: 'node:process',
  importNames: ['env', 'default'],
  message: 'Only main.ts and the set-up read the environment.',
};

/**
 * Makes the lint rules that keep the walls.
 *
 * @param walls  walls.json, parsed.
 * @returns      The `overrides` of .oxlintrc.json. Where several of them set a rule for a file, oxlint obeys the last one.
 */
export function oxlintOverrides({ scope, workspaces, pages, environmentReaders, limits, exceptions }) {
  const sources = ['apps/*/src/**', 'packages/*/src/**', ...pages.map(({ place }) => `${place}/**`)];
  return [
    ...pages.map((each) => ({
      files: [`${each.place}/**`],
      rules: { 'no-restricted-imports': ['error', { patterns: importsOfPages(each, scope) }] },
    })),
    ...workspaces.map((workspace) => ({
      files: [`${workspace.place}/src/**`],
      rules: { 'no-restricted-imports': ['error', importsOf(workspace, scope)] },
    })),
    {
      files: ['apps/*/test/**', 'packages/*/test/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [INNER_FILE_OF_ANOTHER] }] },
    },
    {
      files: ['bench/**', 'test/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [INNER_FILE_OF_A_PACKAGE] }] },
    },
    {
      files: ['**'],
      rules: {
        'no-restricted-properties': [
          'error',
          { object: 'process', property: 'env', message: 'Only main.ts and the set-up read the environment.' },
        ],
      },
    },
    { files: environmentReaders, rules: { 'no-restricted-properties': 'off' } },
    {
      files: sources,
      rules: {
        'max-lines': ['error', { max: limits.fileLines }],
        'max-lines-per-function': ['error', { max: limits.functionLines }],
        'max-params': ['error', { max: limits.parameters }],
      },
    },
    ...exceptions.map(({ rule, files }) => ({ files, rules: { [rule]: 'off' } })),
  ];
}

/** Makes the rule of a workspace. It refuses every import that the table does not allow. The group is last: no later pattern checks an allowed name. */
function importsOf({ place, packages, node, npm }, scope) {
  const builtIn = node === 'all' ? ['!node:*', '!node:*/**'] : node.map((name) => `!node:${name}`);
  const message = `${place} may not import this: see "Where things are" in CONTRIBUTING.md.`;
  const own =
    packages.length === 0
      ? []
      : [`!${scope}`, ...packages.flatMap((name) => [`!${scope}/${name}`, `!${scope}/${name}/*`])];
  const foreign = npm.flatMap((name) => [...scopeOf(name), `!${name}`, `!${name}/**`]);
  const group = ['*', '!.*', '!.*/**', ...builtIn, ...own, ...foreign];
  return { paths: [ENVIRONMENT], patterns: [INDEX_FROM_INSIDE, INNER_FILE, { group: [...new Set(group)], message }] };
}

/** Makes the patterns of pages, which a browser loads: they may import what they name, and of the app around them the contract of its API. */
function importsOfPages({ place, packages, npm }, scope) {
  const message = `${place} may not import this: see "Where things are" in CONTRIBUTING.md.`;
  const own = packages.flatMap((name) => [`!${scope}`, `!${scope}/${name.split('/')[0]}`, `!${scope}/${name}`]);
  const foreign = npm.flatMap((name) => [...scopeOf(name), `!${name}`, `!${name}/**`]);
  return [
    // Everything in src but api/contract; the linter's expressions cannot look ahead.
    { regex: '^\\.{1,2}/(.*/)?src/([^a]|a[^p]|ap[^i]|api[^/]|api/[^c])', message },
    // A folder must be allowed for what is in it; by itself it is a package that a browser does not load.
    { regex: `^${scope}/[^/]+$`, message },
    { group: [...new Set(['*', '!.*', '!.*/**', ...own, ...foreign])], message },
  ];
}

/** Allows the scope of a package. As in a .gitignore, a name inside a refused folder is allowed only where the folder is allowed. */
function scopeOf(name) {
  return name.startsWith('@') ? [`!${name.slice(0, name.indexOf('/'))}`] : [];
}
