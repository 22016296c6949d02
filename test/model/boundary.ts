import type { Client, Pool, QueryConfig } from 'pg';
import type { DataSource } from 'typeorm';
import { Life } from './lives.js';

/** Where the answer of a COMMIT gets lost: on its way there, or on its way back. */
export type Loss = 'commit-lost' | 'answer-lost';

type Statement = string | QueryConfig;
type Query = (statement: Statement, ...rest: readonly unknown[]) => Promise<unknown>;

/** Every statement that the shop sends to PostgreSQL passes here, and may be held back, rewritten, or lost. */
export class Boundary {
  private readonly watched = new WeakSet<Client>();
  /** Takes effect once. */
  loss: Loss | undefined;
  /** Plants a mistake. */
  rewrite = (sql: string): string => sql;
  /** Resolves when the statement may go. */
  turn: (sql: string, client: Client) => Promise<void> = async () => undefined;

  constructor({ driver }: DataSource) {
    const { master: pool } = driver as unknown as { master: Pool };
    pool.on('acquire', (client) => this.watch(client as unknown as Client));
  }

  private watch(client: Client): void {
    if (this.watched.has(client)) return;
    this.watched.add(client);
    const query: Query = client.query.bind(client) as never;
    let before: Promise<unknown> = Promise.resolve();
    // One after the other, also those that the shop sends together: what comes of it is the same, in an order that is
    // known.
    client.query = ((statement: Statement, ...rest: readonly unknown[]) => {
      const told = rest.at(-1);
      const answer = before.then(() =>
        this.pass(client, query, statement, ...rest.filter((each) => typeof each !== 'function')),
      );
      before = answer.catch(() => undefined);
      return typeof told === 'function' ? void answer.then((rows) => told(null, rows), told as () => void) : answer;
    }) as never;
  }

  private async pass(client: Client, query: Query, statement: Statement, ...rest: readonly unknown[]) {
    const sql = typeof statement === 'string' ? statement : statement.text;
    Life.current?.assertAlive();
    await this.turn(sql, client);
    if (sql === 'COMMIT' && this.loss) return this.lose(() => query(sql), client);
    const rewritten = this.rewrite(sql);
    if (rewritten === sql) return query(statement, ...rest);
    // Without its name, under which the connection knows it as it was.
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
