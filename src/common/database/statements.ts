import type { Writable } from 'node:stream';
import type { Client, QueryConfig, QueryResult } from 'pg';
import type { QueryRunner } from 'typeorm';
import { RolledBackError, TransactionEndedError } from './database-errors.js';
import { preparedStatement } from './prepared-statement.js';

/** The number is asked for at once, because it is what tells afterwards whether a COMMIT without an answer is over. */
const BEGIN = 'BEGIN; SELECT pg_current_xact_id()::text AS id';

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
  private failure: unknown;
  private isHeldBack = false;
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
          this.letGo();
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
      const answer = this.client.query(preparedStatement(sql, parameters));
      this.letGo();
      return answer;
    });
    return rows;
  }

  /** Sends a statement, a constant as well, along with the next one. If it fails, the transaction does. */
  send(sql: string, parameters: readonly unknown[]): void {
    this.post(parameters.length > 0 ? preparedStatement(sql, parameters) : { text: sql });
  }

  /**
   * Sends COMMIT behind all others.
   * @throws whatever PostgreSQL said to the first statement that failed and for which nobody waited
   * @throws {RolledBackError} when an awaited one failed and its error was swallowed
   */
  async commit(): Promise<void> {
    await this.end();
    const committing = this.client.query('COMMIT');
    this.letGo();
    try {
      const { command } = await committing;
      if (command !== 'COMMIT') throw new RolledBackError();
    } catch (error) {
      throw await this.reasonOf(error);
    }
  }

  /** Refuses all that comes from here on, and waits for what runs. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.awaited);
  }

  /** Gives what PostgreSQL said to the first statement for which nobody waited, if one failed: all later ones fail for it. */
  async reasonOf(last: unknown): Promise<unknown> {
    this.letGo();
    await Promise.all(this.sent);
    return this.failure ?? last;
  }

  private post(config: QueryConfig, take: (answer: unknown) => void = () => undefined): void {
    if (this.hasEnded) throw new TransactionEndedError();
    if (!this.isHeldBack) this.stream.cork();
    this.isHeldBack = true;
    const answered = this.client.query(config).then(take, (error: unknown) => {
      this.failure ??= error;
    });
    this.sent.push(answered);
  }

  private letGo(): void {
    if (this.isHeldBack) this.stream.uncork();
    this.isHeldBack = false;
  }

  private get stream(): Writable {
    return (this.client as Client & Wired).connection.stream;
  }

  private async run<Answer>(statement: () => Promise<Answer>): Promise<Answer> {
    if (this.hasEnded) throw new TransactionEndedError();
    const running = statement();
    this.awaited.add(running);
    try {
      return await running;
    } finally {
      this.awaited.delete(running);
    }
  }
}
