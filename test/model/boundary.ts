import type { Client, Pool, QueryConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { SimulatedProcess } from './simulated-process.js';

/** Whether a COMMIT is lost before it reaches PostgreSQL, or its answer afterwards. */
export type Loss = 'commit-lost' | 'answer-lost';

type Statement = string | QueryConfig;
type Query = (statement: Statement, ...rest: readonly unknown[]) => Promise<unknown>;

/** Every statement that the shop sends to PostgreSQL passes here, and may be held back, rewritten, or lost. */
export class Boundary {
  private readonly watched = new WeakSet<Client>();
  /** Takes effect once. */
  loss: Loss | undefined;
  /** Rewrites statements, to plant a mistake. */
  rewrite = (sql: string): string => sql;
  /** Resolves when the statement may be sent. */
  turn: (sql: string, client: Client) => Promise<void> = async () => undefined;

  constructor({ driver }: DataSource) {
    const { master: pool } = driver as unknown as { master: Pool };
    pool.on('acquire', (client) => this.watch(client as unknown as Client));
  }

  private watch(client: Client): void {
    if (this.watched.has(client)) return;
    this.watched.add(client);
    const query: Query = client.query.bind(client) as never;
    let previous: Promise<unknown> = Promise.resolve();
    // Statements run one after the other, also those that the shop pipelines. The result is the expectSame, and
    // deterministic.
    client.query = ((statement: Statement, ...rest: readonly unknown[]) => {
      const onResult = rest.at(-1);
      const answer = previous.then(() =>
        this.pass(client, query, statement, ...rest.filter((each) => typeof each !== 'function')),
      );
      previous = answer.catch(() => undefined);
      return typeof onResult === 'function'
        ? void answer.then((rows) => onResult(null, rows), onResult as () => void)
        : answer;
    }) as never;
  }

  private async pass(client: Client, query: Query, statement: Statement, ...rest: readonly unknown[]) {
    const sql = typeof statement === 'string' ? statement : statement.text;
    SimulatedProcess.current?.assertAlive();
    await this.turn(sql, client);
    if (sql === 'COMMIT' && this.loss) return this.lose(() => query(sql), client);
    const rewritten = this.rewrite(sql);
    if (rewritten === sql) return query(statement, ...rest);
    // Without its name, because the connection has prepared the original under that name.
    return typeof statement === 'string' ? query(rewritten, ...rest) : query(rewritten, statement.values);
  }

  private async lose(commit: () => Promise<unknown>, client: Client): Promise<void> {
    const { loss } = this;
    this.loss = undefined;
    if (loss === 'answer-lost') await commit();
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
    stream.destroy();
    throw Object.assign(new Error('The connection was reset'), { code: 'ECONNRESET' });
  }
}
