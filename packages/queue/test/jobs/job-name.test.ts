import { expect, test } from 'vitest';
import { eventsIn, jobName } from '../../src/jobs/job-name.ts';

test.each([
  [1, '1 event'],
  [2, '2 events'],
  [200, '200 events'],
])('a job of %i is called "%s", and is read as so many', (events, name) => {
  expect(jobName(events)).toBe(name);
  expect(eventsIn(name)).toBe(events);
});

test.each(['events', '', 'one event', '3 eventsx', '-1 events', '12345678901 events'])(
  '"%s" tells no number',
  (name) => {
    expect(eventsIn(name)).toBeUndefined();
  },
);
