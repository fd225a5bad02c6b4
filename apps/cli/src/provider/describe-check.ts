import type { Finding, ProviderCheck } from '@landline/operations';

const MARKS: Readonly<Record<Finding['level'], string>> = { fine: '✓', note: '!', unseen: '?', fault: '✗' };

/** Returns what a look has found as a JSON document. Times are ISO 8601 in UTC. */
export function checkDocument({ checkedAt, findings, isWebhookUp, lastFailure, agents }: ProviderCheck): object {
  return {
    checked_at: new Date(checkedAt).toISOString(),
    is_webhook_up: isWebhookUp,
    findings: findings.map(({ code, level, what, todo = null }) => ({ code, level, what, todo })),
    last_failure: lastFailure === null ? null : { ...lastFailure, at: new Date(lastFailure.at).toISOString() },
    agents,
  };
}

/** Describes what a look has found: a line for each finding, and below it what to click. */
export function describeCheck({ findings }: ProviderCheck): string {
  const lines = findings.flatMap(({ level, what, todo }) => [
    `${MARKS[level]} ${what}`,
    ...(todo === undefined ? [] : [`    → ${todo}`]),
  ]);
  return [...lines, sumOf(findings)].join('\n');
}

/** Says how many faults there are, and that others may hide behind what could not be seen. */
function sumOf(findings: ProviderCheck['findings']): string {
  const countOf = (level: Finding['level']) => findings.filter((each) => each.level === level).length;
  const faults = countOf('fault');
  const sum = faults === 0 ? 'No fault' : `${faults} ${faults === 1 ? 'fault' : 'faults'}: see ✗`;
  return countOf('unseen') === 0 ? `${sum}.` : `${sum}. Not all could be seen: see ?.`;
}
