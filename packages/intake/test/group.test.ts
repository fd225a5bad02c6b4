import { QueueUnavailableError } from '@landline/queue';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, beginGroup, GATHERING, type GroupStep, type Progress } from '../src/group.ts';

const away = new QueueUnavailableError('Redis is away.');
const full = new QueueUnavailableError('The disk is full.');

const sent = (places: number): GroupStep => ({ kind: 'sent', places });
const taken: GroupStep = { kind: 'taken' };
const refused = (fault?: QueueUnavailableError): GroupStep => ({ kind: 'refused', fault });
const late = (fault?: QueueUnavailableError): GroupStep => ({ kind: 'late', fault });
const dropped: GroupStep = { kind: 'dropped', fault: away };

/** Where a group stands after these steps. */
const after = (...steps: GroupStep[]): Progress => steps.reduce(advance, GATHERING);

describe('a group', () => {
  it.each<[string, GroupStep[], Partial<Progress>]>([
    ['gathers until it is sent', [], { state: 'gathering' }],
    ['is written while no place has answered', [sent(2)], { state: 'writing', awaited: 2 }],
    ['is safe as soon as one of two places has it', [sent(2), taken], { state: 'safe', awaited: 1 }],
    ['is answered when both have it', [sent(2), taken, taken], { state: 'answered', fault: undefined }],
    [
      'is durable in one place when the other refuses',
      [sent(2), refused(away), taken],
      { state: 'answered', fault: undefined },
    ],
    [
      'is durable whichever of them was first',
      [sent(2), taken, refused(full)],
      { state: 'answered', fault: undefined },
    ],
    ['waits for the second place when the first refuses', [sent(2), refused(away)], { state: 'writing' }],
    [
      'is refused when both refuse, by the fault named last',
      [sent(2), refused(full), refused()],
      { state: 'answered', fault: full },
    ],
    ['is answered by its only place', [sent(1), taken], { state: 'answered', fault: undefined }],
    ['is refused by its only place', [sent(1), refused(away)], { state: 'answered', fault: away }],
    ['is dropped before it is sent', [dropped], { state: 'answered', fault: away }],
    ['is not answered late while no place has it', [sent(2), late()], { state: 'writing', isLate: true }],
    ['is answered late by the first place', [sent(2), late(), taken], { state: 'answered', fault: undefined }],
    [
      'is answered when its time is over, once it is safe',
      [sent(2), taken, late(away)],
      { state: 'answered', fault: undefined },
    ],
    ['is given up late where there is no other place', [sent(1), late(away)], { state: 'answered', fault: away }],
  ])('%s', (_, steps, expected) => {
    expect(after(...steps)).toMatchObject(expected);
  });

  it('is never durable while no place has it, and always has a fault then', () => {
    const answer = fc.constantFrom(taken, refused(), refused(away), late(), late(full));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(answer, { maxLength: 6 }), (places, answers) => {
        const all = answers.reduce<Progress[]>(
          (seen, step) => [...seen, advance(seen.at(-1) ?? GATHERING, step)],
          [after(sent(places))],
        );
        const answered = all.findIndex(({ state }) => state === 'answered');
        const decisive = answered < 0 ? answers : answers.slice(0, answered);
        const isDurable = answered >= 0 && all[answered]?.fault === undefined;
        expect(isDurable).toBe(answered >= 0 && decisive.some(({ kind }) => kind === 'taken'));
        expect(all.slice(answered).every((progress) => answered < 0 || progress === all[answered])).toBe(true);
      }),
    );
  });

  it('answers its callers once: what a place says later changes nothing', async () => {
    const group = beginGroup(60_000, () => undefined);
    for (const step of [sent(2), late(away), taken, taken]) group.step(step);
    await expect(group.answer).rejects.toBe(away);
  });

  it('reports that its time is over, unless it is answered before', async () => {
    const calls: string[] = [];
    const answered = beginGroup(1, () => calls.push('answered'));
    answered.step(dropped);
    await expect(answered.answer).rejects.toBe(away);
    await new Promise<void>((resolve) => {
      beginGroup(2, () => {
        calls.push('late');
        resolve();
      });
    });
    expect(calls).toEqual(['late']);
  });
});
