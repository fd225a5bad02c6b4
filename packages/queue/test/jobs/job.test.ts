import { describe, expect, it } from 'vitest';
import { jobOf, jobSchema } from '../../src/jobs/job.ts';
import { A_REFERENCE, anEvent } from '../support/an-event.ts';

describe('jobSchema', () => {
  it('keeps fields that it does not know, so that an old worker passes on what a new receiver wrote', () => {
    const job = { v: 1, events: [{ ...anEvent(), region: 'eu' }] };
    expect(jobSchema.parse({ ...job, extra: true }).events).toEqual(job.events);
  });

  it.each([undefined, 'webhook', 'replay', 'backfill'])('takes origin %s', (origin) => {
    const event = origin === undefined ? anEvent() : { ...anEvent(), origin };
    expect(jobSchema.safeParse({ v: 1, events: [event] }).success).toBe(true);
  });

  it.each([
    ['another version', { v: 3, events: [anEvent()] }],
    ['no events', { v: 1, events: [] }],
    ['an unknown encoding', { v: 1, events: [{ ...anEvent(), encoding: 'hex' }] }],
    ['an unknown origin', { v: 1, events: [{ ...anEvent(), origin: 'moon' }] }],
    ['a body that is no string', { v: 1, events: [{ ...anEvent(), body: { a: 1 } }] }],
    ['a time that is no number', { v: 1, events: [{ ...anEvent(), receivedAt: '2026-01-01' }] }],
    ['null', null],
  ])('refuses %s', (_, data) => {
    expect(jobSchema.safeParse(data).success).toBe(false);
  });
});

describe('jobOf', () => {
  it('makes jobs of version 1, which a worker of any version applies', () => {
    expect(jobOf([anEvent('{}')]).v).toBe(1);
  });

  it('makes a job with a reference of version 2, which a worker that knows no references leaves whole', () => {
    const job = jobOf([anEvent('{}'), { ...anEvent('{}'), reference: A_REFERENCE }]);
    expect(job.v).toBe(2);
    expect(jobSchema.parse(job)).toEqual(job);
  });
});
