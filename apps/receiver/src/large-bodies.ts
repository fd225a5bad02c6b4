import { join } from 'node:path';
import type { Intake } from '@landline/intake';
import type { Logger } from '@landline/process';
import { createMover, createSpool, openStorage, type Mover, type Spool } from '@landline/recordings';

/** Where the spool keeps bodies for good that cannot be applied, while RECORDINGS_URL is unset. */
const KEPT_FOLDER = 'kept';

/** How large bodies are kept and moved. */
export interface LargeBodiesOptions {
  /** `SPOOL_DIR` and `SPOOL_LIMIT_BYTES` */
  spoolDir: string;
  spoolLimitBytes: number;
  /** `RECORDINGS_URL`; empty: recordings are not kept. */
  recordingsUrl: string;
  intake: Pick<Intake, 'accept'>;
  logger: Logger;
}

/** The spool, and what moves its bodies on. */
export interface LargeBodies {
  spool: Spool;
  stats: Mover['stats'];
  /** Opens the spool; what an ended process left moves on from here. */
  open(): Promise<void>;
  /** Moves nothing more; what is in the spool stays for the next receiver. */
  close(): Promise<void>;
}

/** Makes them; nothing is opened yet. @throws an Error that says what to do where RECORDINGS_URL cannot be meant */
export function createLargeBodies({
  spoolDir,
  spoolLimitBytes,
  recordingsUrl,
  intake,
  logger,
}: LargeBodiesOptions): LargeBodies {
  const storage = recordingsUrl === '' ? undefined : openStorage(recordingsUrl);
  const bodies = storage ?? openStorage(`file:${join(spoolDir, KEPT_FOLDER)}`);
  const spool = createSpool({
    dir: spoolDir,
    limitBytes: spoolLimitBytes,
    onBody: (body) => mover.move(body),
    onError: (error) => logger.error(error.message),
    onReady: () => logger.info('The spool takes bodies again'),
  });
  const mover = createMover({
    storage,
    bodies,
    accept: (delivery) => intake.accept(delivery),
    setAside: (body) => spool.setAside(body),
    onError: (error) => logger.error(error.message),
  });
  return {
    spool,
    stats: () => mover.stats(),
    open: () => spool.open(),
    async close() {
      await mover.close();
      await spool.close();
      storage?.close();
      bodies.close();
    },
  };
}
