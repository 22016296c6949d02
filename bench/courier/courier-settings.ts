import { v7 as uuidv7 } from 'uuid';

/** Where a courier works: on its own database, with its jobs on Redis or on PostgreSQL. */
export interface CourierSettings {
  readonly databaseUrl: string;
  /** Null: BullMQ on PostgreSQL. */
  readonly redisUrl: string | null;
  readonly prefix: string;
}

export interface Drained {
  readonly perSecond: number;
  readonly done: number;
  /** Milliseconds of this process's processor time for each. */
  readonly msEach: number;
}

/** So often, for so long. */
export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
}

/** What the backbone and bare BullMQ are both asked to do. */
export type Carrier = {
  /** Puts so many things to do into the queue. */
  fill(count: number): Promise<void>;
  /** Does them for so long, counted from the first one on. */
  drain(seconds: number): Promise<Drained>;
  /** Milliseconds from the commit, or from the call that adds the job, to the start of its handler, at a steady pace. */
  latencies(pace: Pace): Promise<number[]>;
};

/** What the backbone is asked besides. */
export type Courier = Carrier & {
  /** Events a second that one process both publishes, one a transaction, and delivers. */
  capacity(seconds: number): Promise<number>;
  /** Has the queue lose its jobs, and everything due at once. */
  lose(): Promise<void>;
};

export function newIds(count: number): string[] {
  return Array.from({ length: count }, () => uuidv7());
}
