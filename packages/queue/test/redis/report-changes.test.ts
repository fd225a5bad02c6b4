import { expect, it } from 'vitest';
import { reportChanges } from '../../src/redis/report-changes.ts';

function aReporter() {
  const reported: string[] = [];
  return { ...reportChanges(({ message }) => reported.push(message)), reported };
}

it('reports each error once, until things are well again', () => {
  const { report, reset, reported } = aReporter();
  for (const message of ['away', 'away', 'full', 'away']) report(new Error(message));
  expect(reported).toEqual(['away', 'full']);
  reset();
  report(new Error('away'));
  expect(reported).toEqual(['away', 'full', 'away']);
});

it('remembers a hundred errors and no more: some name a job', () => {
  const { report, reported } = aReporter();
  for (let i = 0; i < 100; i += 1) report(new Error(`job ${i}`));
  report(new Error('job 0'));
  expect(reported).toHaveLength(100);
  report(new Error('job 100'));
  report(new Error('job 0'));
  expect(reported.slice(100)).toEqual(['job 100', 'job 0']);
});

it('reports what is no error as one', () => {
  const { report, reported } = aReporter();
  report('no');
  expect(reported).toEqual(["Thrown, but not an Error: 'no'"]);
});
