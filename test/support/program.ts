import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from './until.js';

const MAIN = resolve('dist/main.js');
/** Environment variables that programs inherit from this process. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot'];

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies without types
  readonly body: any;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Environment = Readonly<Record<string, string>>;

/** The built program in its own process, as seen from outside. */
export class Program {
  /** Resolves when the process has ended for any reason. */
  readonly ended: Promise<Ending>;
  readonly log: LogLine[] = [];
  /** The output on stdout and stderr. */
  output = '';
  url = '';

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    for (const input of [child.stdout, child.stderr])
      if (input) createInterface({ input }).on('line', (line) => this.readLine(line));
  }

  /**
   * Starts the program in an empty folder, so that no `.env` of this checkout is read. Does not wait.
   * @param main the main file of another build
   */
  static launch(environment: Environment, folder: string, main = MAIN): Program {
    const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
    const env = { ...Object.fromEntries(inherited), NODE_ENV: 'test', PORT: '0', ...environment };
    return new Program(spawn(process.execPath, [main], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('The program could not be started');
    return this.child.pid;
  }

  /** Waits until the program serves requests. */
  async open(): Promise<this> {
    const line = await until('the program serves requests', () => {
      const hasEnded = this.child.exitCode !== null || this.child.signalCode !== null;
      if (hasEnded) throw new Error(`The program ended before it served requests:\n${this.output}`);
      return this.log.find(({ msg }) => msg.endsWith(' is open'));
    });
    this.url = String(line.url);
    return this;
  }

  /** Sends the signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<Ending> {
    this.child.kill(signal);
    return this.ended;
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, body: object = {}, headers: Environment = {}): Promise<Answer> {
    return this.send('POST', path, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }

  /** Imports products as NDJSON. */
  import(products: readonly object[]): Promise<Answer> {
    const lines = products.map((product) => `${JSON.stringify(product)}\n`).join('');
    return this.send('POST', '/v1/products/import', lines, { 'content-type': 'application/x-ndjson' });
  }

  private async send(method: string, path: string, body?: string, headers: Environment = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  private readLine(line: string): void {
    this.output += `${line}\n`;
    if (line.startsWith('{')) this.log.push(JSON.parse(line));
  }
}
