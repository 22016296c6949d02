/**
 * Places where dying hurts most. A test arms one with CRASH_AT=name or CRASH_AT=name:n (its n-th pass), and the process
 * kills itself there the hard way.
 * @public the tests ask the build for them
 */
export const CRASH_POINTS = [
  'before-commit',
  'after-commit',
  'after-enqueue',
  'after-claim',
  'after-handler',
  'after-finish',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

export class CrashPoints {
  private readonly armed: string | undefined;
  private passesLeft: number;

  /** @throws {TypeError} when the armed point does not exist */
  constructor(crashAt: string | null) {
    const [name, pass] = crashAt?.split(':') ?? [];
    if (name && !CRASH_POINTS.some((point) => point === name)) throw new TypeError(`There is no crash point ${name}`);
    this.armed = name;
    this.passesLeft = Number(pass ?? 1);
  }

  pass(point: CrashPoint): void {
    if (point !== this.armed) return;
    this.passesLeft -= 1;
    if (this.passesLeft === 0) process.kill(process.pid, 'SIGKILL');
  }
}
