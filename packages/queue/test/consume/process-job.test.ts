import { DelayedError, UnrecoverableError, WaitingError, type Job, type Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { processJob, type ConsumedJob, type JobContext } from '../../src/consume/process-job.ts';
import { HandBackError } from '../../src/errors.ts';
import { deadLetterId } from '../../src/jobs/dead-letter-id.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { A_REFERENCE, anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';

let queue: Queue;
let reported: string[];
beforeEach(async () => {
  queue = (await theQueues(inject('redisUrl'), ownPrefix())).events;
  reported = [];
});

/** Adds a job; no worker has taken it, so Redis refuses to move it. */
const aJob = (data: unknown = { v: 1, events: [anEvent()] }, options: object = {}): Promise<Job> =>
  queue.add(JOB_NAME, data, { ...EVENT_JOB_OPTIONS, ...options });

function run(job: Job, process: JobContext['process'], signal = new AbortController().signal): Promise<void> {
  const largeJobs: JobContext['largeJobs'] = { run: (each, work) => work(each.data) };
  return processJob(job, 'token', { process, signal, largeJobs, report: (error) => reported.push(String(error)) });
}

/** What `process` gets of a job. */
async function consumed(job: Job): Promise<ConsumedJob | undefined> {
  let seen: ConsumedJob | undefined;
  await run(job, async (each) => void (seen = each));
  return seen;
}

describe('a job that process gets', () => {
  it('has its events, and counts its attempts', async () => {
    const events = [anEvent('one'), anEvent('two')];
    const job = await aJob({ v: 1, events });
    expect(await consumed(job)).toEqual({ id: job.id, events, attempt: 1, lastAttempt: false });
    job.attemptsMade = 7;
    expect(await consumed(job)).toMatchObject({ attempt: 8, lastAttempt: true });
  });

  it('has the references of its events with every field, also those that this version does not know', async () => {
    const reference = { ...A_REFERENCE, recording: { ...A_REFERENCE.recording, codec: 'lame' }, shard: 3 };
    const events = [{ ...anEvent('envelope'), reference }, anEvent('whole')];
    expect((await consumed(await aJob({ v: 1, events })))?.events).toEqual(events);
  });

  it('makes no sense with a reference that names no event', async () => {
    const { eventId: _eventId, ...reference } = A_REFERENCE;
    const job = await aJob({ v: 1, events: [{ ...anEvent(), reference }] });
    await expect(run(job, () => Promise.resolve())).rejects.toThrow(/reference.*eventId/s);
  });

  it('has the ledger id of its event where it is a dead letter, and why that is dead', async () => {
    const died = { code: 'type_missing', message: 'The event names no type.', attempts: 3 };
    const job = await aJob({ v: 1, events: [anEvent()], died }, { jobId: deadLetterId('some-uuid'), attempts: 1 });
    expect(await consumed(job)).toMatchObject({ deadEventId: 'some-uuid', died, lastAttempt: true });
  });
});

describe('what process throws', () => {
  it('reaches BullMQ as it is, which spends an attempt', async () => {
    const fault = new Error('deadlock');
    await expect(run(await aJob(), () => Promise.reject(fault))).rejects.toBe(fault);
    expect(reported).toEqual([]);
  });

  it.each([
    ['a hand-back', new HandBackError('down'), false, DelayedError],
    ['anything after the signal', new Error('gave up'), true, WaitingError],
    ['a hand-back after the signal', new HandBackError('down'), true, DelayedError],
  ])('spends no attempt where it is %s, also where Redis refuses the move', async (_, thrown, isAborted, expected) => {
    const signal = isAborted ? AbortSignal.abort() : undefined;
    await expect(run(await aJob(), () => Promise.reject(thrown), signal)).rejects.toThrow(expected);
    expect(reported).toEqual([expect.stringContaining('Error')]);
  });

  it('ends the attempts of a job that makes no sense, which process does not get', async () => {
    let calls = 0;
    const count = async () => void (calls += 1);
    await expect(run(await aJob({ v: 3 }), count)).rejects.toThrow(UnrecoverableError);
    expect(calls).toBe(0);
  });
});

it('spends no attempt on a job that is done and that Redis does not remove', async () => {
  const job = await aJob();
  await run(job, () => Promise.resolve());
  await expect(job.moveToCompleted(undefined, 'token')).rejects.toThrow(DelayedError);
});
