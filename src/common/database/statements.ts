import type { Writable } from 'node:stream';
import type { Client, QueryConfig, QueryResult } from 'pg';
import type { QueryRunner } from 'typeorm';
import { markBroken } from './broken-connections.js';
import { isDatabaseLost, RolledBack, sqlStateOf, TransactionEnded } from './database-errors.js';
import { executePrepared, preparedStatement } from './prepared-statement.js';

/** The number is asked for at once, because it is what tells afterwards whether a COMMIT without an answer is over. */
const BEGIN = 'BEGIN; SELECT pg_current_xact_id()::text AS id';

/** PostgreSQL refuses every statement since another one has failed. */
const REFUSED_SINCE = '25P02';

/** What lies beneath a client. Bytes that are written while the stream is corked leave together when it is uncorked. */
interface Wired {
  readonly connection: { readonly stream: Writable };
}

/**
 * The statements of one transaction, in their order, on one connection. What nobody has to wait for leaves with the
 * next that somebody waits for, since every way to PostgreSQL costs both sides more than many a statement. None slips in
 * behind the end, where it would be committed on its own.
 */
export class Statements {
  /** PostgreSQL's number of this transaction, once there has been an answer. */
  transactionId: string | undefined;
  private readonly awaited = new Set<Promise<unknown>>();
  private readonly sent: Promise<void>[] = [];
  private failure: Error | undefined;
  private isCorked = false;
  private hasEnded = false;

  private constructor(
    private readonly client: Client,
    runner: QueryRunner,
  ) {
    const query = runner.query.bind(runner);
    Object.assign(runner, {
      // What TypeORM would have set if it had begun the transaction: it makes its own ones within it savepoints.
      isTransactionActive: true,
      transactionDepth: 1,
      query: (...statement: unknown[]) =>
        this.run((): Promise<unknown> => {
          this.flush();
          return Reflect.apply(query, runner, statement);
        }),
    });
  }

  /** Begins a transaction on the runner's connection; from here on what TypeORM sends over it is one of its statements. */
  static async begin(runner: QueryRunner): Promise<Statements> {
    const client: Client = await runner.connect();
    const statements = new Statements(client, runner);
    statements.post({ text: BEGIN }, (answers) => {
      // `pg` answers several statements in one text with as many results.
      const [, numbered] = answers as QueryResult<{ id: string }>[];
      statements.transactionId = numbered?.rows[0]?.id;
    });
    return statements;
  }

  /** Gives the rows of a statement. Its text is prepared once on every connection, so it must be a constant. */
  async query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const { rows } = await this.run(() => {
      const answer = executePrepared(this.client, sql, parameters);
      this.flush();
      return answer;
    });
    return rows as Row[];
  }

  /** Sends a statement, a constant as well, along with the next one. If it fails, the transaction does. */
  send(sql: string, parameters: readonly unknown[]): void {
    this.post(parameters.length > 0 ? preparedStatement(sql, parameters) : { text: sql });
  }

  /**
   * Sends COMMIT behind all others.
   * @throws whatever PostgreSQL said to the first statement that failed and for which nobody waited
   * @throws {RolledBack} when an awaited one failed and its error was swallowed
   */
  async commit(): Promise<void> {
    await this.end();
    // Known by now if it never left: PostgreSQL has not heard of it, and would commit without it.
    if (this.failure) throw this.failure;
    const committing = this.client.query('COMMIT');
    this.flush();
    try {
      const { command } = await committing;
      if (command !== 'COMMIT') throw new RolledBack();
    } catch (error) {
      throw await this.reasonOf(error);
    }
  }

  /** Ends what cannot be committed. @throws the reason: what was thrown, or what went wrong before and led to it */
  async fail(thrown: unknown): Promise<never> {
    await this.end();
    this.flush();
    throw await this.reasonOf(thrown);
  }

  /** Refuses all that comes from here on, and waits for what runs. */
  private async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.awaited);
  }

  /** When one for which nobody waited has failed, PostgreSQL refuses all later ones, and does not say why. */
  private async reasonOf(last: unknown): Promise<unknown> {
    await Promise.all(this.sent);
    const isOfDatabase = last instanceof RolledBack || sqlStateOf(last) !== undefined || isDatabaseLost(last);
    return isOfDatabase ? (this.failure ?? last) : last;
  }

  private post(config: QueryConfig, take: (answer: unknown) => void = () => undefined): void {
    if (this.hasEnded) throw new TransactionEnded();
    this.cork();
    const { client } = this;
    const answered = new Promise<void>((done) => {
      client.query(config, (error: Error | null, answer: unknown) => {
        if (error) this.noteFailure(error);
        else take(answer);
        done();
      });
    });
    this.sent.push(answered);
  }

  private noteFailure(error: Error): void {
    markBroken(this.client, error);
    if (sqlStateOf(error) !== REFUSED_SINCE) this.failure ??= error;
  }

  /** Not while somebody waits for an answer: what he asked may not have been written to the stream yet. */
  private cork(): void {
    if (this.isCorked || this.awaited.size > 0) return;
    this.stream.cork();
    this.isCorked = true;
  }

  private flush(): void {
    if (this.isCorked) this.stream.uncork();
    this.isCorked = false;
  }

  private get stream(): Writable {
    return (this.client as Client & Wired).connection.stream;
  }

  private async run<Answer>(statement: () => Promise<Answer>): Promise<Answer> {
    if (this.hasEnded) throw new TransactionEnded();
    const running = statement();
    this.awaited.add(running);
    try {
      return await running;
    } finally {
      this.awaited.delete(running);
    }
  }
}
