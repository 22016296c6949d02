import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { until } from './until.js';

/** A real Redis without persistence, which restarts on the same port. */
export class RedisServer {
  private process: ChildProcess | undefined;
  private readonly client: Redis;

  private constructor(
    private readonly port: number,
    private readonly folder: string,
  ) {
    this.client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null, lazyConnect: true });
    this.client.on('error', () => undefined);
  }

  static async start(port: number, folder: string): Promise<RedisServer> {
    const server = new RedisServer(port, folder);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.process = spawn('redis-server', options, { cwd: this.folder, stdio: 'ignore', detached: true });
    await until('Redis answers', async () => (await this.client.ping()) === 'PONG');
  }

  /** Kills the server, which loses all data. */
  async kill(): Promise<void> {
    const server = this.process;
    this.signal('SIGKILL');
    if (server && server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  }

  signal(signal: NodeJS.Signals): void {
    this.process?.kill(signal);
  }

  async flush(): Promise<void> {
    await this.client.flushall();
  }

  /** Ids of the waiting, active and delayed jobs of a queue. */
  async jobs(queue: string): Promise<string[]> {
    const { client } = this;
    const waiting = await Promise.all([client.lrange(`${queue}:wait`, 0, -1), client.lrange(`${queue}:active`, 0, -1)]);
    return [...waiting.flat(), ...(await client.zrange(`${queue}:delayed`, 0, -1))];
  }

  async pause(ms: number): Promise<void> {
    await this.client.client('PAUSE', ms, 'ALL');
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    await this.kill();
  }
}
