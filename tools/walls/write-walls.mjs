#!/usr/bin/env node
/**
 * Writes the walls of tools/walls/walls.json to two places: the `overrides` of .oxlintrc.json, and the table "Where things are" of
 * CONTRIBUTING.md.
 *
 *     node tools/walls/write-walls.mjs [--root <folder>]           writes both
 *     node tools/walls/write-walls.mjs --check [--root <folder>]   writes nothing; fails where a file differs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { oxlintOverrides } from './oxlint-overrides.mjs';
import { placesTable } from './places-table.mjs';

const { values } = parseArgs({ options: { check: { type: 'boolean' }, root: { type: 'string', default: '.' } } });
const walls = JSON.parse(read('tools/walls/walls.json'));
const written = { '.oxlintrc.json': await lintRules(), 'CONTRIBUTING.md': contributing() };
const stale = Object.keys(written).filter((file) => read(file) !== written[file]);

if (values.check && stale.length > 0) {
  process.stderr.write(`${stale.join(' and ')}: not what tools/walls/walls.json says. npm run walls writes it anew.\n`);
  process.exitCode = 1;
}
if (!values.check) for (const file of stale) writeFileSync(join(values.root, file), written[file]);

function read(file) {
  return readFileSync(join(values.root, file), 'utf8');
}

/** Makes the text of .oxlintrc.json. The rules that are no walls stay as they are. */
async function lintRules() {
  const rules = { ...JSON.parse(read('.oxlintrc.json')), overrides: oxlintOverrides(walls) };
  return format(JSON.stringify(rules), { ...JSON.parse(read('.prettierrc.json')), parser: 'json' });
}

/** Makes the text of CONTRIBUTING.md, with the table between its marks. @throws Where a mark is missing. */
function contributing() {
  const text = read('CONTRIBUTING.md');
  const [start, end] = ['<!-- walls -->', '<!-- /walls -->'];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`CONTRIBUTING.md has no ${start} … ${end}.`);
  return `${text.slice(0, from + start.length)}\n\n${placesTable(walls)}\n\n${text.slice(to)}`;
}
