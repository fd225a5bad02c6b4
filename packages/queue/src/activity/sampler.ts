import { hostname } from 'node:os';
import type { ActivityRole, Gauges } from './process-sample.ts';

/** Tells how this process is, now and then. */
export interface Sampler {
  /** Says how the process tells its state. */
  read(gauges: () => Gauges): void;
  /** Makes a sample due. It stays due until `taken`. */
  makeDue(): void;
  /** Returns the sample where one is due. */
  due(): string | undefined;
  taken(): void;
}

const noGauges = (): Gauges => ({});

/** Makes it; a sample is due at once. `report` learns why the state cannot be told. */
export function createSampler(role: ActivityRole, report: (error: unknown) => void): Sampler {
  // To a person this names a process better than a uuid does; in a container the host is its id.
  const id = `${hostname()}:${process.pid}`;
  let readGauges = noGauges;
  let isDue = true;

  function gaugesNow(): Gauges {
    try {
      return Object.fromEntries(Object.entries(readGauges()).filter(([, value]) => Number.isFinite(value)));
    } catch (error) {
      report(error);
      return {};
    }
  }

  return {
    read: (gauges) => void (readGauges = gauges),
    makeDue: () => void (isDue = true),
    due: () => (isDue ? JSON.stringify({ role, id, gauges: gaugesNow() }) : undefined),
    taken: () => void (isDue = false),
  };
}
