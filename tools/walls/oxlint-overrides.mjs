/** What stands in a relative import that leaves the package: no file below src/ goes through one of these. */
const OTHER_FOLDERS = 'apps|bench|dist|node_modules|packages|prisma|src|test|tools';

const INDEX_FROM_INSIDE = {
  regex: '^\\.{1,2}(/.*)?/index\\.[jt]s$|^[./]+$',
  message: 'index.ts is for other packages: import the file itself.',
};
const INNER_FILE = {
  regex: `^\\.{1,2}/(.*/)?(${OTHER_FOLDERS})/`,
  message: 'This path leaves the package: import the other package by its name.',
};
/** In tests, which lie beside `src`. */
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
 * The lint rules that keep the walls.
 *
 * @param walls  walls.json, parsed.
 * @returns      The `overrides` of .oxlintrc.json. Of the overrides that name a rule for a file, oxlint obeys the last.
 */
export function oxlintOverrides({ scope, workspaces, environmentReaders, limits, exceptions }) {
  const entriesOf = new Map(workspaces.map(({ place, entries = [] }) => [place, entries]));
  const sources = ['apps/*/src/**', 'packages/*/src/**'];
  return [
    ...workspaces.map((workspace) => ({
      files: [`${workspace.place}/src/**`],
      rules: { 'no-restricted-imports': ['error', importsOf(workspace, { scope, entriesOf })] },
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

/**
 * The imports that lint refuses in a workspace: all but the packages, entry points and modules that the table lets in.
 * Lint skips every later pattern for a name that a group lets in, so the group comes last.
 */
function importsOf({ place, packages, node, npm }, { scope, entriesOf }) {
  const builtIn = node === 'all' ? ['!node:*', '!node:*/**'] : node.map((name) => `!node:${name}`);
  const message = `${place} may not import this: see "Where things are" in CONTRIBUTING.md.`;
  const names = packages.flatMap((name) => [
    name,
    ...(entriesOf.get(`packages/${name}`) ?? []).map((entry) => `${name}/${entry}`),
  ]);
  const own = packages.length === 0 ? [] : [`!${scope}`, ...names.map((name) => `!${scope}/${name}`)];
  const foreign = npm.flatMap((name) => [...scopeOf(name), `!${name}`, `!${name}/**`]);
  const group = ['*', '!.*', '!.*/**', ...builtIn, ...own, ...foreign];
  return { paths: [ENVIRONMENT], patterns: [INDEX_FROM_INSIDE, INNER_FILE, { group: [...new Set(group)], message }] };
}

/** As in a .gitignore: what lies in a folder that is kept out is let in only where the folder is. */
function scopeOf(name) {
  return name.startsWith('@') ? [`!${name.slice(0, name.indexOf('/'))}`] : [];
}
