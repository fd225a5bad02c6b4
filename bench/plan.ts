/** The sizes and times of a run. */
export interface Plan {
  /** How often each measurement is repeated, contenders in turn. */
  rounds: number;
  /** The names of the contenders that take part; the limits always do. Undefined: all. */
  contenders?: readonly string[] | undefined;
  /** The measures in which the other contenders take part. In `apply` and `end-to-end` they always do. */
  othersIn: readonly ('accept' | 'ack-latency')[];
  /** Events that are sent, in a timed load, to each contender that applies only some hundred a second. */
  eventsOfOthers: number;
  /** How long nothing is counted: a program that has just started connects and compiles. The slow contenders get half of `eventsOfOthers`. */
  warmUpSeconds: number;
  acceptSeconds: number;
  acceptConnections: readonly number[];
  acceptKinds: readonly ('live' | '10 KB' | '100 KB')[];
  endToEndSeconds: number;
  /** The time of the load for measuring the time from 200 to row, and the cost, at a low rate. */
  lowRateSeconds: number;
  ackSeconds: number;
  /** Requests per second. */
  ackRates: readonly number[];
  scale: {
    /** How many receivers, and as many workers. */
    counts: readonly number[];
    /** Whether each receiver has 64 connections, or all of them together have. */
    spread: readonly ('each' | 'all')[];
  };
  heldWorkers: {
    counts: readonly number[];
    /** Events queued before the workers start. */
    live: number;
    transcripts: number;
    /** How long the workers are watched. */
    seconds: number;
  };
  unitCost: {
    /** Events of each kind whose cost is measured. */
    live: number;
    transcripts: number;
    recordings: number;
    /** How many receivers, and as many workers. */
    processes: readonly number[];
    /** How long the low load is sent, and how long nothing is. */
    lowSeconds: number;
    idleSeconds: number;
    /** Rows of conversation_messages that are there when the WAL after a checkpoint is measured. */
    preloadMessages: number;
  };
  heldReceivers: {
    counts: readonly number[];
    /** How long the receivers are under load. */
    seconds: number;
  };
  soakSeconds: number;
  apply: {
    /** Events queued before a worker is timed. */
    live: number;
    transcripts: number;
    /** How long a worker is timed at most. */
    seconds: number;
    /** Events on which sql-limit tries each batch size; 0: it tries none. */
    trialEvents: number;
  };
  /** Rows of conversation_messages that are there already. */
  growthMessages: readonly number[];
  growthBacklog: number;
  /** Events that lie in Redis at once. */
  redisBacklog: number;
}

/** The plan of the committed results: some 100 minutes. */
export const FULL: Plan = {
  rounds: 5,
  othersIn: ['accept', 'ack-latency'],
  eventsOfOthers: 1000,
  warmUpSeconds: 2,
  acceptSeconds: 2,
  acceptConnections: [64, 256],
  acceptKinds: ['live', '10 KB', '100 KB'],
  endToEndSeconds: 4,
  lowRateSeconds: 5,
  ackSeconds: 3,
  ackRates: [500, 2000, 8000],
  scale: { counts: [1, 2, 4], spread: ['each', 'all'] },
  heldWorkers: { counts: [1, 2, 4], live: 160_000, transcripts: 40_000, seconds: 8 },
  unitCost: {
    live: 40_000,
    transcripts: 6_000,
    recordings: 40,
    processes: [1, 2, 3, 4],
    lowSeconds: 15,
    idleSeconds: 10,
    preloadMessages: 1_000_000,
  },
  heldReceivers: { counts: [1, 4], seconds: 5 },
  soakSeconds: 600,
  apply: { live: 200_000, transcripts: 20_000, seconds: 5, trialEvents: 20_000 },
  growthMessages: [10_000, 1_000_000, 5_000_000],
  growthBacklog: 60_000,
  redisBacklog: 1_000_000,
};

/** The plan of `--quick`: everything once, and small. It shows that the suite and the contenders work, not how fast they are. */
export const QUICK: Plan = {
  rounds: 1,
  othersIn: [],
  eventsOfOthers: 40,
  warmUpSeconds: 0.2,
  acceptSeconds: 0.25,
  acceptConnections: [64],
  acceptKinds: ['live'],
  endToEndSeconds: 0.5,
  lowRateSeconds: 0.5,
  ackSeconds: 0.5,
  ackRates: [500],
  scale: { counts: [2], spread: ['each'] },
  heldWorkers: { counts: [2], live: 40_000, transcripts: 12_000, seconds: 2 },
  unitCost: {
    live: 500,
    transcripts: 50,
    recordings: 1,
    processes: [1, 2],
    lowSeconds: 1,
    idleSeconds: 1,
    preloadMessages: 1_000,
  },
  heldReceivers: { counts: [2], seconds: 1 },
  soakSeconds: 2,
  apply: { live: 120, transcripts: 10, seconds: 1, trialEvents: 0 },
  growthMessages: [1000, 10_000],
  growthBacklog: 2000,
  redisBacklog: 10_000,
};
