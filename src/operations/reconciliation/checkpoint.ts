import type { LoggedEvent } from './handled-events.js';

/** Whoever has more to look at again had better begin where it began. */
const OPEN_MAX = 1_000;

/** Up to where a check has nothing left to look at in the log, so that the next pass can begin there. */
export interface Checkpoint {
  readonly position: number;
  /** Events from before that which still wait for somebody, or do not agree. */
  readonly open: readonly string[];
  /** Since which position each subscriber is there, as far as that is before this one. */
  readonly since: Readonly<Record<string, number>>;
}

export const START_CHECKPOINT: Checkpoint = { position: 0, open: [], since: {} };

/** How far one check comes in one pass. */
export class Progress {
  private position: number;
  private readonly open = new Set<string>();
  private isAtItsEnd = false;

  constructor(readonly from: Checkpoint) {
    this.position = from.position;
  }

  /** In the order of the log. What is young may still get a neighbour before it, from a transaction that takes longer. */
  pass({ position, isOld }: LoggedEvent): void {
    this.isAtItsEnd ||= !isOld;
    if (!this.isAtItsEnd) this.position = position;
  }

  keep(id: string): void {
    this.open.add(id);
  }

  /** @param since of all subscribers that are known by now */
  settled(since: ReadonlyMap<string, number>): Checkpoint {
    if (this.open.size > OPEN_MAX) return this.from;
    const { position } = this;
    const before = [...since].filter(([, first]) => first <= position);
    return { position, open: [...this.open], since: Object.fromEntries(before) };
  }
}
