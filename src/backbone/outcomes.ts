/**
 * Errors by which a durable handler decides the outcome of its delivery. It is done when the handler returns, and
 * retried when it throws any other error. The same outcomes as in Oban: https://hexdocs.pm/oban/Oban.Worker.html
 */

/** No attempt can succeed: the delivery is dead at once, however many attempts are left. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

/** A year. */
const DELAY_MAX_MS = 366 * 24 * 3_600_000;

/** The handler runs again after the delay; the attempt is not counted. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  /** @throws {RangeError} when the delay is negative, not a number, or longer than a year */
  constructor(delayMs: number, reason = 'not yet') {
    super(reason);
    if (!(delayMs >= 0 && delayMs <= DELAY_MAX_MS))
      throw new RangeError(`A delay of ${delayMs} ms: give 0 to ${DELAY_MAX_MS}`);
    this.delayMs = Math.ceil(delayMs);
  }
}
