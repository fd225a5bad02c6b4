import { createProducerConnection } from '@landline/queue';

type Connection = ReturnType<typeof createProducerConnection>;

/** How long one command may take, in milliseconds: Redis may be emptying gigabytes. */
const COMMAND_LIMIT_MS = 60_000;

/** Runs `work` with a connection to Redis, which is closed afterwards. */
export async function withRedis<T>(
  url: string,
  work: (connection: Connection) => Promise<T>,
  limitMs: number = COMMAND_LIMIT_MS,
): Promise<T> {
  const connection = createProducerConnection(url, { enqueueTimeoutMs: limitMs });
  try {
    await connection.connect();
    return await work(connection);
  } finally {
    connection.disconnect();
  }
}
