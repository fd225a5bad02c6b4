import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { leaveRedoRequest, readRedoRequests, type NewRedoRequest } from '../../src/redis/redo-requests.ts';
import { aConnection } from '../support/a-connection.ts';
import { ownPrefix } from '../support/an-event.ts';

const HOUR_MS = 3_600_000;

let connection: Redis;
let prefix: string;
beforeEach(async () => {
  connection = await aConnection();
  prefix = ownPrefix();
});

const leave = (request: NewRedoRequest) => leaveRedoRequest(connection, prefix, request);
const read = () => readRedoRequests(connection, prefix);
const key = () => `${prefix}:postgres-redo`;

/** Leaves a request as some worker did so long ago. */
const leaveAgo = (loss: string, agoMs: number) =>
  connection.rpush(key(), JSON.stringify({ id: loss, loss, at: Date.now() - agoMs, sinceMs: 1000, server: 's' }));

describe('a request', () => {
  it('is read by everybody, oldest first, under an id of its own', async () => {
    const before = Date.now();
    expect(await read()).toEqual([]);
    expect([await leave({ loss: 'a', sinceMs: 2000, server: 's' }), await leave({ loss: 'b', sinceMs: 1000 })]).toEqual(
      [true, true],
    );
    const requests = await read();
    expect(requests).toMatchObject([
      { loss: 'a', sinceMs: 2000, server: 's' },
      { loss: 'b', sinceMs: 1000 },
    ]);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(2);
    expect(requests.every(({ at }) => at >= before && at <= Date.now())).toBe(true);
  });

  it('is made once for a loss that is found again each second, and again after ten minutes', async () => {
    await leaveAgo('a', 570_000);
    expect(await leave({ loss: 'a', sinceMs: 0, server: 's' })).toBe(true);
    expect(await read()).toHaveLength(1);
    await connection.del(key());
    await leaveAgo('a', 601_000);
    expect(await leave({ loss: 'a', sinceMs: 0, server: 's' })).toBe(true);
    expect(await read()).toHaveLength(2);
  });

  it('is needless where as much was asked for on that server since, and only there', async () => {
    await leaveAgo('all', 60_000);
    const hourAgo = Date.now() - HOUR_MS;
    expect(await leave({ loss: 'a', sinceMs: 2000, server: 's', notCoveredBefore: hourAgo })).toBe(false);
    // Without a time from which on requests count, none counts.
    expect(await leave({ loss: 'b', sinceMs: 2000, server: 's' })).toBe(true);
    // Committed after that request; another server; more than was asked for.
    const later = Date.now() + HOUR_MS;
    expect(await leave({ loss: 'c', sinceMs: 2000, server: 's', notCoveredBefore: later })).toBe(true);
    expect(await leave({ loss: 'd', sinceMs: 2000, server: 't', notCoveredBefore: hourAgo })).toBe(true);
    expect(await leave({ loss: 'e', sinceMs: 500, server: 's', notCoveredBefore: hourAgo })).toBe(true);
    expect((await read()).map(({ loss }) => loss)).toEqual(['all', 'b', 'c', 'd', 'e']);
  });

  it('of a later version, or damaged, is skipped', async () => {
    await connection.rpush(key(), 'no json', '{"id":"x"}', 'null');
    await leave({ loss: 'a', sinceMs: 0 });
    expect(await read()).toMatchObject([{ loss: 'a' }]);
  });
});

it('keeps the last 32 requests, for more than a year', async () => {
  for (let i = 0; i < 34; i += 1) await leave({ loss: `loss ${i}`, sinceMs: i });
  const losses = (await read()).map(({ loss }) => loss);
  expect([losses.length, losses[0], losses.at(-1)]).toEqual([32, 'loss 2', 'loss 33']);
  expect((await connection.ttl(key())) / 86_400).toBeGreaterThan(366);
});
