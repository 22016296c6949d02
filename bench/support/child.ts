import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ground } from './ground.js';
import type { Methods, Question, Reply } from './serve.js';

/** A program of the benchmarks in a process of its own, whose methods can be called from here. */
export class Child<Served extends Methods> {
  private constructor(private readonly child: ChildProcess) {}

  /**
   * @param program below bench/, e.g. `courier/courier.js`
   * @param settings what it has to know, as JSON
   */
  static start<Served extends Methods>(ground: Ground, program: string, settings: object): Child<Served> {
    const main = fileURLToPath(new URL(`../${program}`, import.meta.url));
    const log = openSync(join(ground.folder, `${program.replaceAll('/', '-')}.log`), 'a');
    const { PATH = '', HOME = '' } = process.env;
    const options = {
      env: { PATH, HOME },
      detached: true,
      stdio: ['ignore', log, log, 'ipc'] as ['ignore', number, number, 'ipc'],
    };
    const child = new Child<Served>(fork(main, [JSON.stringify(settings)], options));
    closeSync(log);
    ground.atEnd(() => child.stop());
    return child;
  }

  async ask<Name extends keyof Served & string>(
    method: Name,
    ...parameters: Parameters<Served[Name]>
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    const { child } = this;
    const listening = new AbortController();
    const answer = once(child, 'message', listening) as Promise<[Reply]>;
    const ended = once(child, 'exit', listening).then(() => [{ error: 'The process ended before it had answered' }]);
    child.send({ method, parameters } satisfies Question);
    const [reply] = (await Promise.race([answer, ended]).finally(() => listening.abort())) as [Reply];
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
