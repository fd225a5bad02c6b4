import { z } from 'zod';
import { SAMPLE_KEPT_MS } from './activity-keys.ts';

const roles = ['receiver', 'worker'] as const;

/** What a process is. */
export type ActivityRole = (typeof roles)[number];

/** Figures of a process, by name. */
export type Gauges = Readonly<Record<string, number>>;

/** How a receiver or a worker was when it last told. */
export interface ProcessSample {
  role: ActivityRole;
  /** Its host and process id. */
  id: string;
  /** When it told, in unix ms by Redis's clock. */
  at: number;
  gauges: Gauges;
}

const sampleSchema = z.object({
  role: z.enum(roles),
  id: z.string(),
  gauges: z.record(z.string(), z.number()),
});

const SAMPLE = /^(\d+) (\{.*\})$/s;

/** Reads the samples that are no older than 15 s at `now`, Redis's own time; in the order of role and id. Skips those of another version. */
export function readSamples(samples: readonly string[], now: number): ProcessSample[] {
  const read = samples.flatMap((text): ProcessSample[] => {
    const [, at, json = ''] = SAMPLE.exec(text) ?? [];
    if (at === undefined || Math.abs(now - Number(at)) > SAMPLE_KEPT_MS) return [];
    const { data } = sampleSchema.safeParse(parse(json));
    return data === undefined ? [] : [{ ...data, at: Number(at) }];
  });
  return read.toSorted((a, b) => compare(a.role, b.role) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
