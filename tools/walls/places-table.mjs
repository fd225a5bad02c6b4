/**
 * Makes the table "Where things are" of CONTRIBUTING.md.
 *
 * @param walls  walls.json, parsed.
 * @returns      Markdown: a row for each workspace and each other place.
 */
export function placesTable({ workspaces, pages, otherPlaces }) {
  const rows = [
    ...workspaces.map((workspace) => [workspace.place, workspace.is, mayImport(workspace)]),
    ...pages.map(({ place, is, packages, npm }) => [place, is, [...packages, ...npm].join(', ')]),
    ...otherPlaces.map((other) => [other.place, other.is, other.mayImport]),
  ];
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`.replace('|  |', '| |'));
  return ['| place | is | may import |', '| --- | --- | --- |', ...lines].join('\n');
}

/** Lists the imports of a workspace, our own packages first. Node's modules are named only where some of them are refused. */
function mayImport({ packages, node, npm }) {
  const builtIn = node === 'all' ? [] : node.map((name) => `node:${name}`);
  return [...packages, ...builtIn, ...npm].join(', ');
}
