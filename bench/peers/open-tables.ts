import { setTimeout as rest } from 'node:timers/promises';
import { normalise, type Delivery } from '@landline/webhook';
import { PrismaPg } from '@prisma/adapter-pg';
import { classifyError } from '../../packages/store/src/connection/classify-error.ts';
import { PrismaClient } from '../../packages/store/src/generated/client.ts';
import { applyEvent } from './apply-event.ts';

/** The tables, as the peers write them through Prisma. */
export interface Tables {
  /** Applies events in one transaction. An event that is in the ledger already changes nothing. */
  apply: (deliveries: readonly Delivery[]) => Promise<void>;
  close: () => Promise<void>;
}

/** How often a transaction is tried again that collided with another one. */
const CONFLICT_TRIES = 5;
/** The longest pause before that, in milliseconds. The pause is random, so that the two transactions do not collide again. */
const CONFLICT_REST_MS = 50;
/** Prisma's default limits of 2 s and 5 s would fail requests that only wait for their turn. */
const LIMITS = { maxWait: 10_000, timeout: 30_000 };

/** Opens a Prisma client on the tables; it connects with the first event. */
export function openTables(databaseUrl: string, poolSize: number): Tables {
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl, max: poolSize }) });

  async function apply(deliveries: readonly Delivery[]): Promise<void> {
    const events = deliveries.map(normalise);
    for (let conflicts = 0; ;) {
      try {
        return await client.$transaction(async (tx) => {
          for (const event of events) await applyEvent(tx, event);
        }, LIMITS);
      } catch (error) {
        if (!isConflict(error) || ++conflicts > CONFLICT_TRIES) throw error;
        await rest(Math.random() * CONFLICT_REST_MS);
      }
    }
  }

  return { apply, close: () => client.$disconnect() };
}

/** Checks for a deadlock, a serialisation failure, or two transactions that inserted the same row at once. */
function isConflict(error: unknown): boolean {
  const { faultClass, code } = classifyError(error);
  return faultClass === 'conflict' || code === 'P2002' || code === '23505';
}
