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
}

/** What the backbone and bare BullMQ are both asked to do. */
export type Carrier = {
  /** Puts so many things to do into the queue. */
  fill(count: number): Promise<void>;
  /** Does them for so long, counted from the first one on. */
  drain(seconds: number): Promise<Drained>;
};

export function newIds(count: number): string[] {
  return Array.from({ length: count }, () => uuidv7());
}
