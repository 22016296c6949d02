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

/** Reactions that set off each other for ever stop here, and with them the transaction. */
const EVENTS_PER_TRANSACTION_MAX = 10_000;
/** A deadlock or a collision is worth another run; a third one in a row is a bug or an overload. */
const RUNS_MAX = 3;

/** What the backbone itself wants to have committed together with the work; gives deliveries to dispatch after it. */
type BeforeCommit = (session: Session) => Promise<readonly DeliveryRef[]>;

/** Rows that a module has not sent yet. */
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
    closing?: BeforeCommit,
  ): Promise<Result> {
    for (let run = 1; ; run += 1) {
      try {
        return await this.runOnce(module, work, closing);
      } catch (error) {
        if (run === RUNS_MAX || !isCollision(error)) throw error;
      }
    }
  }

  private async runOnce<Result>(
    module: string,
    work: (tx: Transaction) => Promise<Result>,
    closing: BeforeCommit = async () => [],
  ): Promise<Result> {
    const { result, logged, deliveries } = await this.database.transaction(module, async (session) => {
      const events = new PendingEvents();
      const late = new DeferredWrites();
      const tx: Transaction = {
        manager: session.manager,
        query: (sql, parameters) => session.query(sql, parameters),
        send: (sql, parameters) => session.send(sql, parameters),
        publish: (fact) => events.add(fact),
        insertBeforeCommit: (write) => late.add({ module: session.module, write }),
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
      late.write(session);
      session.actAs('backbone');
      const made = this.log.append(logged, session);
      idempotency?.keepAnswer(session, result);
      const next = await closing(session);
      this.crashPoints.pass('before-commit');
      return { result, logged, deliveries: [...made, ...next] };
    });
    this.crashPoints.pass('after-commit');
    for (const each of logged) measure(each);
    this.dispatcher.dispatch(deliveries);
    return result;
  }

  /** First in, first out: an event is finished before its consequences start, so a log reads like a story. */
  private async drain(events: PendingEvents, tx: Transaction, session: Session): Promise<PublishedEvent[]> {
    const logged: PublishedEvent[] = [];
    for (const event of events.all) {
      events.cause = event;
      logged.push({ event, reactions: await this.reactions.dispatch(event, { tx, session }) });
    }
    return logged;
  }
}

/** What is to be written when everybody has reacted, each as the module that wants it. */
class DeferredWrites {
  private readonly all: DeferredWrite[] = [];
  private closed = false;

  add(late: DeferredWrite): void {
    if (this.closed) throw new Error('Rows came for the end of a transaction after it: await what sends them');
    this.all.push(late);
  }

  write(session: Session): void {
    this.closed = true;
    for (const { module, write } of this.all) {
      session.actAs(module);
      write();
    }
  }
}

/** What has been said in one transaction so far; grows while it is drained, because reactions publish too. */
class PendingEvents {
  readonly all: DomainEvent[] = [];
  cause: Pick<DomainEvent, 'id'> | undefined;
  private closed = false;
  private readonly context = currentContext();
  private readonly correlationId = this.context?.correlationId ?? uuidv7();

  add({ type, subject, data }: Fact): void {
    if (this.closed) throw new Error(`${type} was published after its transaction had ended: await what publishes it`);
    if (this.all.length === EVENTS_PER_TRANSACTION_MAX) throw new Error(`${type} is one of an endless chain of events`);
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
    this.closed = true;
  }
}

/** Not sooner, so that nobody waits for it at a locked row. */
function measure({ event, reactions }: PublishedEvent): void {
  eventsPublished.inc({ type: event.type });
  for (const { subscriber, ms } of reactions) handlerSeconds.observe({ subscriber }, ms / 1_000);
}
