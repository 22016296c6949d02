import { readFileSync } from 'node:fs';

/**
 * Loaded into a program with `--import`. At SIGUSR2 its wall clock jumps by the number of milliseconds in CLOCK_FILE.
 * Timers are not affected, as on a machine whose clock is set.
 */
const file = process.env.CLOCK_FILE ?? '';
const RealDate = Date;
let offset = 0;

process.on('SIGUSR2', () => {
  offset = Number(readFileSync(file, 'utf8'));
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [RealDate.now() + offset] : given, newTarget),
  apply: () => new RealDate(RealDate.now() + offset).toString(),
  get: (target, name) => (name === 'now' ? () => RealDate.now() + offset : Reflect.get(target, name)),
});
