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

interface Waiter {
  readonly since: number;
  resolve(): void;
  reject(error: Overloaded): void;
}

/**
 * Where requests wait for a connection. There is room for less of them than there are connections, so that deliveries and
 * health checks always find one, whatever is asked of the shop.
 */
export class ConnectionLimiter {
  private held = 0;
  private readonly waiters: Waiter[] = [];
  private movedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly limit: number) {}

  /** How many wait. */
  get waiting(): number {
    return this.waiters.length;
  }

  /**
   * Waits for its turn. Whoever has entered must leave.
   * @throws {Overloaded} when it would not come soon
   */
  async acquire(): Promise<void> {
    if (this.held < this.limit) {
      this.held += 1;
      return;
    }
    const now = performance.now();
    const [first] = this.waiters;
    if (first && now - first.since > BUSY_MS) throw new Overloaded();
    if (!first) this.movedAt = now;
    this.timer ??= setInterval(() => this.rejectHopeless(), LOOK_EVERY_MS).unref();
    await new Promise<void>((admit, refuse) => this.waiters.push({ since: now, resolve: admit, reject: refuse }));
  }

  release(): void {
    this.movedAt = performance.now();
    const next = this.waiters.shift();
    if (next) next.resolve();
    else this.held -= 1;
  }

  /** Sends those away who would wait in vain. */
  private rejectHopeless(): void {
    const now = performance.now();
    const isStuck = now - this.movedAt > STUCK_MS;
    const inVain = this.waiters.filter(({ since }) => isStuck || now - since > WAIT_MAX_MS);
    for (const each of this.waiters.splice(0, inVain.length)) each.reject(new Overloaded());
    if (this.waiters.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
