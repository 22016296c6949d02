import type { LoggedEvent } from './handled-events.js';

/** With more open events than this, the next run starts at the previous checkpoint instead of storing them all. */
const OPEN_MAX = 1_000;

/** Where the next run of a check continues in the log. */
export interface Checkpoint {
  /** The check is done with all events up to this position, except the open ones. */
  readonly position: number;
  /** Ids of events up to the position whose deliveries are not all done, or which have a mismatch. */
  readonly open: readonly string[];
  /** The position of the first event that each subscriber handled, for subscribers that start up to the position. */
  readonly since: Readonly<Record<string, number>>;
}

export const START_CHECKPOINT: Checkpoint = { position: 0, open: [], since: {} };

/** Progress of one check in one run. */
export class Progress {
  private position: number;
  private readonly open = new Set<string>();
  private hasReachedRecentEvents = false;

  constructor(readonly from: Checkpoint) {
    this.position = from.position;
  }

  /**
   * Called in the sequence of the log. Stops at the first recent event: an open transaction may still commit one before
   * it.
   */
  advance({ position, isOld }: LoggedEvent): void {
    this.hasReachedRecentEvents ||= !isOld;
    if (!this.hasReachedRecentEvents) this.position = position;
  }

  keepOpen(id: string): void {
    this.open.add(id);
  }

  /** @param since position of the first handled event of every known subscriber */
  checkpoint(since: ReadonlyMap<string, number>): Checkpoint {
    if (this.open.size > OPEN_MAX) return this.from;
    const { position } = this;
    const before = [...since].filter(([, first]) => first <= position);
    return { position, open: [...this.open], since: Object.fromEntries(before) };
  }
}
