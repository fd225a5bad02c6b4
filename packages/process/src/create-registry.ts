import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** A metric without a value of its own. */
export interface ReadMetric {
  name: string;
  help: string;
  /** Returns the value at a scrape, so that it costs the work nothing. */
  read: () => number;
}

/** Makes a registry with prom-client's metrics of a Node process: memory, CPU, event loop, garbage collection. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Adds a gauge that is read at each scrape. */
export function addGauge(registry: Registry, { name, help, read }: ReadMetric): void {
  const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) });
}

/** Adds a counter that is read at each scrape. `read` returns the total since the process began. */
export function addCounter(registry: Registry, { name, help, read }: ReadMetric): void {
  const counter: Counter = new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      counter.reset();
      counter.inc(read());
    },
  });
}
