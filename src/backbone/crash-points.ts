/**
 * Steps after which a crash is hardest to recover from. With CRASH_AT=name or CRASH_AT=name:n, for tests, the process
 * sends itself SIGKILL when it passes this point for the first or the n-th time.
 * @public the tests read them from the build
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

  /** @throws {TypeError} when there is no such point */
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
