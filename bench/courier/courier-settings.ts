import { v7 as uuidv7 } from 'uuid';

/** A courier is the backbone with one side effect, or bare BullMQ, in its own process. */
export interface CourierSettings {
  readonly databaseUrl: string;
  /** Null: BullMQ on PostgreSQL. */
  readonly redisUrl: string | null;
  readonly prefix: string;
}

export interface DrainResult {
  readonly perSecond: number;
  readonly done: number;
  /** Processor time of this process for each item, in milliseconds. */
  readonly msEach: number;
}

/** Rate and duration of a load. */
export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Implemented by the backbone and by bare BullMQ. */
export type QueueUnderTest = {
  /** Adds this number of items to the queue. */
  fill(count: number): Promise<void>;
  /** Handles items for this time, measured from the first one. */
  drain(seconds: number): Promise<DrainResult>;
  /** Milliseconds from the commit, or from the call of `queue.add`, to the start of the handler, at a constant rate. */
  latencies(pace: Pace): Promise<number[]>;
};

/** Implemented by the backbone only. */
export type Courier = QueueUnderTest & {
  /** Events per second that one process both publishes, one per transaction, and delivers. */
  capacity(seconds: number): Promise<number>;
  /** Deletes all jobs, and makes all deliveries due now. */
  loseJobs(): Promise<void>;
};

export function newIds(count: number): string[] {
  return Array.from({ length: count }, () => uuidv7());
}
