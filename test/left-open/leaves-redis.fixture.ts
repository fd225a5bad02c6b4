import { createProducerConnection } from '@landline/queue';
import { expect, test } from 'vitest';

test('leaves a connection to Redis open', async () => {
  const connection = createProducerConnection(process.env['REDIS_URL'] ?? '', { enqueueTimeoutMs: 5_000 });
  await connection.connect();
  expect(connection.status).toBe('ready');
});
