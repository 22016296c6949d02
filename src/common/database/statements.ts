import type { Writable } from 'node:stream';
import type { Client, QueryConfig, QueryResult } from 'pg';
import type { QueryRunner } from 'typeorm';
import { markBroken } from './broken-connections.js';
import { isDatabaseLost, RolledBack, sqlStateOf, TransactionEnded } from './database-errors.js';
import { executePrepared, preparedStatement } from './prepared-statement.js';

/** Reads the transaction id too: it shows later whether a transaction has ended whose COMMIT got no answer. */
const BEGIN = 'BEGIN; SELECT pg_current_xact_id()::text AS id';

/** in_failed_sql_transaction: PostgreSQL refuses the statement because an earlier one has failed. */
const IN_FAILED_TRANSACTION = '25P02';

/** The socket of a client. Bytes that are written while it is corked are sent together when it is uncorked. */
interface WithStream {
  readonly connection: { readonly stream: Writable };
}

/**
 * The statements of one transaction, sent in sequence on one connection. A statement whose answer is not awaited is
 * sent together with the next awaited one, because a round trip costs both sides more than most statements. A statement
 * after the end is refused: it would be committed on its own.
 */
export class Statements {
  /** PostgreSQL's id of this transaction, after the first answer. */
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
      // As if TypeORM had begun the transaction, so that its nested transactions become savepoints.
      isTransactionActive: true,
      transactionDepth: 1,
      query: (...statement: unknown[]) =>
        this.run((): Promise<unknown> => {
          this.flush();
          return Reflect.apply(query, runner, statement);
        }),
    });
  }

  /** Begins a transaction on the runner's connection. Statements that TypeORM sends through the runner belong to it. */
  static async begin(runner: QueryRunner): Promise<Statements> {
    const client: Client = await runner.connect();
    const statements = new Statements(client, runner);
    statements.post({ text: BEGIN }, (answers) => {
      // `pg` returns one result for each statement of the text.
      const [, selected] = answers as QueryResult<{ id: string }>[];
      statements.transactionId = selected?.rows[0]?.id;
    });
    return statements;
  }

  /** Returns the rows of a statement. Its text is prepared once on every connection, so it must be a constant. */
  async query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const { rows } = await this.run(() => {
      const answer = executePrepared(this.client, sql, parameters);
      this.flush();
      return answer;
    });
    return rows as Row[];
  }

  /** Sends a statement, also a constant, together with the next one. If it fails, the transaction fails. */
  send(sql: string, parameters: readonly unknown[]): void {
    this.post(parameters.length > 0 ? preparedStatement(sql, parameters) : { text: sql });
  }

  /**
   * Sends COMMIT after all other statements.
   * @throws the error of the first failed statement whose answer was not awaited
   * @throws {RolledBack} when an awaited statement failed and its error was swallowed
   */
  async commit(): Promise<void> {
    await this.end();
    // A statement that the driver could not send has failed by now. PostgreSQL would commit without it.
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

  /** Ends a transaction that must not be committed. @throws `thrown`, or the earlier error that caused it */
  async fail(thrown: unknown): Promise<never> {
    await this.end();
    this.flush();
    throw await this.reasonOf(thrown);
  }

  /** Refuses further statements, and waits for those that run. */
  private async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.awaited);
  }

  /** After a statement whose answer is not awaited has failed, PostgreSQL refuses all later ones without the reason. */
  private async reasonOf(last: unknown): Promise<unknown> {
    await Promise.all(this.sent);
    const isOfDatabase = last instanceof RolledBack || sqlStateOf(last) !== undefined || isDatabaseLost(last);
    return isOfDatabase ? (this.failure ?? last) : last;
  }

  private post(config: QueryConfig, onAnswer: (answer: unknown) => void = () => undefined): void {
    if (this.hasEnded) throw new TransactionEnded();
    this.cork();
    const { client } = this;
    const answered = new Promise<void>((done) => {
      client.query(config, (error: Error | null, answer: unknown) => {
        if (error) this.recordFailure(error);
        else onAnswer(answer);
        done();
      });
    });
    this.sent.push(answered);
  }

  private recordFailure(error: Error): void {
    markBroken(this.client, error);
    if (sqlStateOf(error) !== IN_FAILED_TRANSACTION) this.failure ??= error;
  }

  /** Not while an answer is awaited: the bytes of that statement may not have been written to the stream yet. */
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
    return (this.client as Client & WithStream).connection.stream;
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
