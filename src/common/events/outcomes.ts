/**
 * What a durable handler may say besides returning (done) and throwing (try again).
 * The vocabulary is Oban's: https://hexdocs.pm/oban/Oban.Worker.html
 */

/** Hopeless: the delivery is dead at once, however many attempts are left. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

/** Not yet: runs again after the delay; the attempt is not counted. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';

  constructor(
    readonly delayMs: number,
    reason = 'not yet',
  ) {
    super(reason);
  }
}
