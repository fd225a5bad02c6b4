import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { findTool } from './support/find-tool.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const MONITORING = new URL('../monitoring/', import.meta.url);

const rulesSchema = z.object({
  groups: z.array(z.object({ name: z.string(), rules: z.array(z.looseObject({ alert: z.string() })) })),
});
const casesSchema = z.strictObject({
  tests: z.array(
    z.looseObject({
      name: z.string(),
      interval: z.string(),
      alert_rule_test: z.array(
        z.strictObject({ alertname: z.string(), eval_time: z.string(), exp_alerts: z.array(z.unknown()) }),
      ),
    }),
  ),
});

const rules = rulesSchema.parse(parse(await readFile(new URL('alerts.yml', MONITORING), 'utf8')));
const cases = casesSchema.parse(parse(await readFile(new URL('alerts.test.yml', MONITORING), 'utf8'))).tests;
const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
const looks = cases.flatMap((each) => each.alert_rule_test);

describe('monitoring/alerts.test.yml', () => {
  test.each(alerts)('%s has a case in which it fires, and one in which it does not', (alert) => {
    const own = looks.filter(({ alertname }) => alertname === alert);
    expect(own.filter(({ exp_alerts }) => exp_alerts.length > 0)).not.toEqual([]);
    expect(own.filter(({ exp_alerts }) => exp_alerts.length === 0)).not.toEqual([]);
  });

  test('names only existing alerts: promtool finds that an unknown one does not fire', () => {
    expect(looks.map(({ alertname }) => alertname).filter((name) => !alerts.includes(name))).toEqual([]);
  });
});

describe('monitoring/alerts.yml, evaluated on samples', () => {
  test.each(cases)('$name', async (one) => {
    expect(await evaluate(one)).toContain('SUCCESS');
  });

  test('the check can fail', async () => {
    const silent = { alertname: alerts[0], eval_time: '1m', exp_alerts: [{ exp_labels: { severity: 'critical' } }] };
    expect(await evaluate({ interval: '1m', input_series: [], alert_rule_test: [silent] })).toContain('FAILED');
  });
});

/** Returns promtool's verdict on one case. It gets the rules without annotations, which each case would have to repeat word for word. */
async function evaluate(one: object): Promise<string> {
  const folder = await makeTempFolder();
  const bare = rules.groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => ({ ...rule, annotations: undefined })),
  }));
  await writeFile(join(folder, 'alerts.yml'), stringify({ groups: bare }));
  const file = join(folder, 'case.yml');
  await writeFile(file, stringify({ rule_files: ['alerts.yml'], evaluation_interval: '15s', tests: [one] }));
  const promtool = findTool('promtool', 'prometheus');
  return promisify(execFile)(promtool, ['test', 'rules', file]).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) =>
      error instanceof Error && 'stdout' in error ? `${String(error.stdout)}${error.message}` : String(error),
  );
}
