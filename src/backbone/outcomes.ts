/**
 * What a durable handler may say besides returning (done) and throwing (try again).
 * The vocabulary is Oban's: https://hexdocs.pm/oban/Oban.Worker.html
 */

/** Hopeless: the delivery is dead at once, however many attempts are left. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

/** A year: what is to happen later than that is no delivery any more. */
const LONGEST_DELAY_MS = 366 * 24 * 3_600_000;

/** Not yet: runs again after the delay; the attempt is not counted. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  /** @throws {RangeError} when the delay is none */
  constructor(delayMs: number, reason = 'not yet') {
    super(reason);
    if (!(delayMs >= 0 && delayMs <= LONGEST_DELAY_MS)) throw new RangeError(`${delayMs} ms is no delay`);
    this.delayMs = Math.ceil(delayMs);
  }
}
