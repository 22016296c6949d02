import { DomainError } from '../errors/domain-error.js';

/** New requests are rejected at once while the oldest waiter exceeds this age: the pool cannot keep up. */
const BUSY_MS = 3_000;
/** All waiters are rejected when no connection was released for this long. */
const STUCK_MS = 5_000;
/** The client of a request that has waited for this long has probably given up. */
const WAIT_MAX_MS = 15_000;
const CHECK_INTERVAL_MS = 250;

/** More concurrent requests than the database connections can serve. The work was not started. */
export class Overloaded extends DomainError {
  readonly kind = 'unavailable';
  readonly code = 'overloaded';

  constructor() {
    super('There are more requests than the database connections can serve: try again soon');
  }
}

interface Waiter {
  readonly since: number;
  resolve(): void;
  reject(error: Overloaded): void;
}

/**
 * Limits the connections that requests use at the same time, first come, first served. The limit is lower than the size
 * of the pool, so deliveries and health checks find a connection under any load.
 */
export class ConnectionLimiter {
  private acquired = 0;
  private readonly waiters: Waiter[] = [];
  private releasedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly limit: number) {}

  /** The number of waiting requests. */
  get waiting(): number {
    return this.waiters.length;
  }

  /**
   * Waits until the caller may use a connection. The caller must call `release` afterwards.
   * @throws {Overloaded} when the wait would be too long
   */
  async acquire(): Promise<void> {
    if (this.acquired < this.limit) {
      this.acquired += 1;
      return;
    }
    const now = performance.now();
    const [first] = this.waiters;
    if (first && now - first.since > BUSY_MS) throw new Overloaded();
    if (!first) this.releasedAt = now;
    this.timer ??= setInterval(() => this.rejectTimedOut(), CHECK_INTERVAL_MS).unref();
    await new Promise<void>((resolve, reject) => this.waiters.push({ since: now, resolve, reject }));
  }

  release(): void {
    this.releasedAt = performance.now();
    const next = this.waiters.shift();
    if (next) next.resolve();
    else this.acquired -= 1;
  }

  private rejectTimedOut(): void {
    const now = performance.now();
    const isStuck = now - this.releasedAt > STUCK_MS;
    const timedOut = this.waiters.filter(({ since }) => isStuck || now - since > WAIT_MAX_MS);
    for (const each of this.waiters.splice(0, timedOut.length)) each.reject(new Overloaded());
    if (this.waiters.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
