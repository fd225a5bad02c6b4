import { expect, test } from 'vitest';
import { createDrainPace, type QueueLook } from '../../src/jobs/drain-pace.ts';

/** Gives a new pace the looks in their order, and returns its last answer. */
function secondsAfter(...looks: QueueLook[]): number | undefined {
  const pace = createDrainPace();
  return looks.map((look) => pace.secondsFor(look)).at(-1);
}

const look = (second: number, { waiting = 1000, left = 0, oldestSeconds = 60 } = {}): QueueLook => ({
  at: 5_000 + second * 1000,
  waiting,
  left,
  oldestSeconds,
});

test('is how many wait, over how many leave in a second', () => {
  expect(secondsAfter(look(0, { left: 300 }), look(10, { left: 500, waiting: 800 }))).toBe(800 / 20);
});

test('is nothing where nothing waits', () => {
  expect(secondsAfter(look(0, { left: 0 }), look(10, { left: 100, waiting: 0, oldestSeconds: 0 }))).toBe(0);
});

test('is the age of the oldest while workers keep up: what they do then is what arrives', () => {
  const oldestSeconds = 0.2;
  expect(secondsAfter(look(0, { waiting: 1, oldestSeconds }), look(30, { left: 1, waiting: 1, oldestSeconds }))).toBe(
    0.2,
  );
});

test('is the age of the oldest at the first look, and while nothing is done: a larger number each time', () => {
  expect(secondsAfter(look(0, { oldestSeconds: 40 }))).toBe(40);
  expect(secondsAfter(look(0, { oldestSeconds: 40 }), look(10, { oldestSeconds: 50 }))).toBe(50);
});

test('forgets what was done more than a minute ago', () => {
  const looks = [
    look(0, { left: 0 }),
    look(30, { left: 30_000 }),
    look(60, { left: 30_300 }),
    look(90, { left: 30_600 }),
  ];
  expect(secondsAfter(...looks)).toBe(1000 / 10);
});

test('keeps two looks where they are more than a minute apart', () => {
  expect(secondsAfter(look(0, { left: 0 }), look(100, { left: 500 }), look(200, { left: 1000 }))).toBe(1000 / 5);
});

test('begins anew after a time in which nothing waited: workers had less to do than they can', () => {
  const idle = look(50, { left: 10, waiting: 0, oldestSeconds: 0 });
  expect(secondsAfter(look(0, { left: 0 }), idle, look(60, { left: 2_000 }), look(61, { left: 2_500 }))).toBe(2);
});

test('begins anew after an outage: the time in which nothing was done does not count', () => {
  const outage = [0, 10, 20, 30].map((second) => look(second, { left: 7 }));
  expect(secondsAfter(...outage, look(40, { left: 107 }))).toBe(1000 / 10);
});

test('begins anew where fewer have left than before: Redis was emptied, or jobs were put back', () => {
  expect(secondsAfter(look(0, { left: 900 }), look(10, { left: 5, oldestSeconds: 7 }))).toBe(7);
  expect(secondsAfter(look(0, { left: 900 }), look(10, { left: 5 }), look(20, { left: 105 }))).toBe(100);
});
