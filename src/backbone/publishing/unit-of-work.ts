import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { currentContext } from '../../common/context/context.js';
import { Database } from '../../common/database/database.js';
import { isCollision } from '../../common/database/database-errors.js';
import type { Session } from '../../common/database/session.js';
import { currentClaim } from '../../common/idempotency/current-claim.js';
import { CrashPoints } from '../crash-points.js';
import type { DeliveryRef } from '../delivery.js';
import type { DomainEvent, Fact } from '../domain-event.js';
import { EventLog, type PublishedEvent } from '../log/event-log.js';
import { Dispatcher } from '../queue/dispatcher.js';
import { type Transaction, TransactionRunner } from '../transaction.js';
import { InTransactionDispatcher } from './in-transaction-dispatcher.js';
import { eventsPublished, handlerSeconds } from './publishing-metrics.js';

/** Reactions that publish events for one another without end stop at this number, and the transaction rolls back. */
const EVENTS_PER_TRANSACTION_MAX = 10_000;
/** After a deadlock or a collision the work runs again; the third in a row is a bug or an overload. */
const RUNS_MAX = 3;

/** Writes that the backbone commits together with the work. Returns the deliveries to dispatch after commit. */
type BeforeCommit = (session: Session) => Promise<readonly DeliveryRef[]>;

/** An insert that runs just before commit, under the role of its module. */
interface DeferredWrite {
  readonly module: string;
  readonly write: () => void;
}

/** Runs a use case: drains its events through the plain reactions, logs them with their deliveries, commits once. */
@Injectable()
export class UnitOfWork extends TransactionRunner {
  constructor(
    private readonly database: Database,
    private readonly reactions: InTransactionDispatcher,
    private readonly log: EventLog,
    private readonly dispatcher: Dispatcher,
    private readonly crashPoints: CrashPoints,
  ) {
    super();
  }

  override async run<Result>(
    module: string,
    work: (tx: Transaction) => Promise<Result>,
    beforeCommit?: BeforeCommit,
  ): Promise<Result> {
    for (let run = 1; ; run += 1) {
      try {
        return await this.runOnce(module, work, beforeCommit);
      } catch (error) {
        if (run === RUNS_MAX || !isCollision(error)) throw error;
      }
    }
  }

  private async runOnce<Result>(
    module: string,
    work: (tx: Transaction) => Promise<Result>,
    beforeCommit: BeforeCommit = async () => [],
  ): Promise<Result> {
    const { result, logged, deliveries } = await this.database.transaction(module, async (session) => {
      const events = new PendingEvents();
      const deferred = new DeferredWrites();
      const tx: Transaction = {
        manager: session.manager,
        query: (sql, parameters) => session.query(sql, parameters),
        send: (sql, parameters) => session.send(sql, parameters),
        publish: (fact) => events.add(fact),
        insertBeforeCommit: (write) => deferred.add({ module: session.module, write }),
      };
      const idempotency = currentClaim();
      if (idempotency) {
        session.actAs('backbone');
        await idempotency.claim(session);
        session.actAs(module);
      }
      const result = await work(tx);
      const logged = await this.drain(events, tx, session);
      events.close();
      deferred.write(session);
      session.actAs('backbone');
      const made = this.log.append(logged, session);
      idempotency?.keepAnswer(session, result);
      const next = await beforeCommit(session);
      this.crashPoints.pass('before-commit');
      return { result, logged, deliveries: [...made, ...next] };
    });
    this.crashPoints.pass('after-commit');
    for (const each of logged) measure(each);
    this.dispatcher.dispatch(deliveries);
    return result;
  }

  /** First in, first out: all reactions to an event have run before those to the events that it led to. */
  private async drain(events: PendingEvents, tx: Transaction, session: Session): Promise<PublishedEvent[]> {
    const logged: PublishedEvent[] = [];
    for (const event of events.all) {
      events.cause = event;
      logged.push({ event, reactions: await this.reactions.dispatch(event, { tx, session }) });
    }
    return logged;
  }
}

/** The inserts that wait until all reactions have run. Each runs under the role of its module. */
class DeferredWrites {
  private readonly all: DeferredWrite[] = [];
  private isClosed = false;

  add(deferred: DeferredWrite): void {
    if (this.isClosed)
      throw new Error('insertBeforeCommit was called after its transaction had ended: await its caller');
    this.all.push(deferred);
  }

  write(session: Session): void {
    this.isClosed = true;
    for (const { module, write } of this.all) {
      session.actAs(module);
      write();
    }
  }
}

/** The events that a transaction has published so far. The list grows while it is drained: reactions publish too. */
class PendingEvents {
  readonly all: DomainEvent[] = [];
  cause: Pick<DomainEvent, 'id'> | undefined;
  private isClosed = false;
  private readonly context = currentContext();
  private readonly correlationId = this.context?.correlationId ?? uuidv7();

  add({ type, subject, data }: Fact): void {
    if (this.isClosed) throw new Error(`${type} was published after its transaction had ended: await its publisher`);
    if (this.all.length === EVENTS_PER_TRANSACTION_MAX)
      throw new Error(
        `${type} is part of an endless chain of events: a transaction publishes ${EVENTS_PER_TRANSACTION_MAX} at most`,
      );
    this.all.push({
      id: uuidv7(),
      type,
      subject,
      data,
      occurredAt: new Date().toISOString(),
      correlationId: this.correlationId,
      causationId: this.cause?.id ?? this.context?.causationId ?? null,
    });
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Called after commit, so that rows are not locked meanwhile. */
function measure({ event, reactions }: PublishedEvent): void {
  eventsPublished.inc({ type: event.type });
  for (const { subscriber, ms } of reactions) handlerSeconds.observe({ subscriber }, ms / 1_000);
}
