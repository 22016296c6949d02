import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Call, Methods, Reply } from './serve.js';
import type { TestBed } from './test-bed.js';

/** A program of the benchmarks in its own process, whose methods can be called from here. */
export class Child<Served extends Methods> {
  private constructor(private readonly child: ChildProcess) {}

  /**
   * @param program below bench/, e.g. `courier/courier.js`
   * @param settings passed to the program as JSON
   */
  static start<Served extends Methods>(testBed: TestBed, program: string, settings: object): Child<Served> {
    const main = fileURLToPath(new URL(`../${program}`, import.meta.url));
    const log = openSync(join(testBed.folder, `${program.replaceAll('/', '-')}.log`), 'a');
    const { PATH = '', HOME = '' } = process.env;
    const options = {
      env: { PATH, HOME },
      detached: true,
      stdio: ['ignore', log, log, 'ipc'] as ['ignore', number, number, 'ipc'],
    };
    const child = new Child<Served>(fork(main, [JSON.stringify(settings)], options));
    closeSync(log);
    testBed.atEnd(() => child.stop());
    return child;
  }

  async call<Name extends keyof Served & string>(
    method: Name,
    ...parameters: Parameters<Served[Name]>
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    const { child } = this;
    const listeners = new AbortController();
    const answer = once(child, 'message', listeners) as Promise<[Reply]>;
    const ended = once(child, 'exit', listeners).then(() => [{ error: 'The process ended before it answered' }]);
    child.send({ method, parameters } satisfies Call);
    const [reply] = (await Promise.race([answer, ended]).finally(() => listeners.abort())) as [Reply];
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error}`);
    return reply.result as Awaited<ReturnType<Served[Name]>>;
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
