import { DomainError } from '../errors/domain-error.js';

/** Whoever comes is turned away at once while the first in line has waited for longer: the line grows faster than it moves. */
const BUSY_MS = 3_000;
/** A line in which nothing has moved for this long has no hope of moving soon. */
const STUCK_MS = 5_000;
/** A caller that has waited for this long has probably left. */
const WAIT_MAX_MS = 15_000;
const LOOK_EVERY_MS = 250;

/** More requests at once than the connections to the database can serve. Nothing of the work was begun. */
export class Overloaded extends DomainError {
  readonly kind = 'unavailable';
  readonly code = 'overloaded';

  constructor() {
    super('More is asked of the shop than it can do at the moment: try again soon');
  }
}

interface Waiting {
  readonly since: number;
  admit(): void;
  refuse(error: Overloaded): void;
}

/**
 * Where requests wait for a connection. There is room for less of them than there are connections, so that deliveries and
 * health checks always find one, whatever is asked of the shop.
 */
export class Entrance {
  private inside = 0;
  private readonly line: Waiting[] = [];
  private movedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly room: number) {}

  /** How many wait. */
  get length(): number {
    return this.line.length;
  }

  /**
   * Waits for its turn. Whoever has entered must leave.
   * @throws {Overloaded} when it would not come soon
   */
  async enter(): Promise<void> {
    if (this.inside < this.room) {
      this.inside += 1;
      return;
    }
    const now = performance.now();
    const [first] = this.line;
    if (first && now - first.since > BUSY_MS) throw new Overloaded();
    if (!first) this.movedAt = now;
    this.timer ??= setInterval(() => this.clear(), LOOK_EVERY_MS).unref();
    await new Promise<void>((admit, refuse) => this.line.push({ since: now, admit, refuse }));
  }

  leave(): void {
    this.movedAt = performance.now();
    const next = this.line.shift();
    if (next) next.admit();
    else this.inside -= 1;
  }

  /** Sends those away who would wait in vain. */
  private clear(): void {
    const now = performance.now();
    const isStuck = now - this.movedAt > STUCK_MS;
    const inVain = this.line.filter(({ since }) => isStuck || now - since > WAIT_MAX_MS);
    for (const each of this.line.splice(0, inVain.length)) each.refuse(new Overloaded());
    if (this.line.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
