import { join } from 'node:path';
import { createMover, type Mover, type MoverOptions } from './move/mover.ts';
import { createSpool, type Spool } from './spool/spool.ts';
import { openStorage } from './storage/open-storage.ts';

/** Where the spool keeps bodies for good that cannot be applied, while RECORDINGS_URL is unset. */
const KEPT_FOLDER = 'kept';

/** How large bodies are kept and moved. */
export interface LargeBodiesOptions extends Pick<MoverOptions, 'accept'> {
  /** `SPOOL_DIR` and `SPOOL_LIMIT_BYTES` */
  spoolDir: string;
  spoolLimitBytes: number;
  /** `RECORDINGS_URL`; empty: recordings are not kept. */
  recordingsUrl: string;
  /** Called with each new trouble, once until it is over. */
  onError: (error: Error) => void;
  /** Called when the spool takes bodies again. */
  onReady: () => void;
}

/** The spool, and what moves its bodies on. */
export interface LargeBodies {
  spool: Spool;
  stats: Mover['stats'];
  /** Opens the spool; what an ended process left moves on from here. */
  open(): Promise<void>;
  /** Moves nothing more; what is in the spool stays for the next process. */
  close(): Promise<void>;
}

/** Makes them; nothing is opened yet. @throws an Error that says what to do where RECORDINGS_URL cannot be meant */
export function createLargeBodies(options: LargeBodiesOptions): LargeBodies {
  const { spoolDir, spoolLimitBytes, recordingsUrl, accept, onError, onReady } = options;
  const storage = recordingsUrl === '' ? undefined : openStorage(recordingsUrl);
  const bodies = storage ?? openStorage(`file:${join(spoolDir, KEPT_FOLDER)}`);
  const spool = createSpool({
    dir: spoolDir,
    limitBytes: spoolLimitBytes,
    onBody: (body) => mover.move(body),
    onError,
    onReady,
  });
  const mover = createMover({ storage, bodies, accept, setAside: (body) => spool.setAside(body), onError });
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
