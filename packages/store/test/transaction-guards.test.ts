import type { Transaction } from '@prisma/driver-adapter-utils';
import { expect, it } from 'vitest';
import { deferUntilCommit } from '../src/connection/deferred-statements.ts';
import { settleAtBegin } from '../src/connection/settle-at-begin.ts';

/** A transaction that notes what it is sent. */
function aTransaction() {
  const sent: string[] = [];
  const transaction: Transaction = {
    provider: 'postgres',
    adapterName: 'a test',
    options: { usePhantomQuery: false },
    queryRaw: () => Promise.reject(new Error('Nothing is asked here.')),
    executeRaw({ sql }) {
      sent.push(sql);
      return Promise.resolve(0);
    },
    async commit() {
      sent.push('given back');
    },
    rollback: () => Promise.resolve(),
  };
  return { transaction, sent };
}

it('a transaction whose last statements were not sent is not committed', async () => {
  const { transaction, sent } = aTransaction();
  const deferred = deferUntilCommit(transaction);
  deferred.push({ sql: 'UPDATE calls', parameters: [] });
  await expect(transaction.commit()).rejects.toThrow('before its last statements are sent');
  await transaction.executeRaw({ sql: 'COMMIT', args: [], argTypes: [] });
  await transaction.commit();
  expect(sent).toEqual(['UPDATE calls;\nCOMMIT', 'given back']);
});

it('a transaction begins with its settings, or not at all', () => {
  const sent: unknown[] = [];
  const connection = { query: (...args: unknown[]) => sent.push(...args) };
  settleAtBegin(connection, 'SELECT settings');
  connection.query({ text: 'BEGIN' });
  connection.query({ text: 'SELECT 1' });
  expect(() => connection.query({ text: 'begin isolation level serializable' })).toThrow('without its settings');
  expect(sent).toEqual([{ text: 'BEGIN;\nSELECT settings' }, { text: 'SELECT 1' }]);
});
