import 'reflect-metadata';
import { Global, Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { z } from 'zod';
import { BusinessModule } from '../src/backbone/business-module.js';
import { ReactsTo } from '../src/backbone/decorators.js';
import { type DomainEvent, defineEvent } from '../src/backbone/domain-event.js';
import { InTransactionDispatcher } from '../src/backbone/publishing/in-transaction-dispatcher.js';
import { Handlers } from '../src/backbone/registry/handlers.js';
import { Subscriptions } from '../src/backbone/registry/subscriptions.js';
import { type Transaction, TransactionRunner } from '../src/backbone/transaction.js';
import { Database } from '../src/common/database/database.js';
import type { Session } from '../src/common/database/session.js';
import type { Bench } from './support/benchmark.js';
import { rounds } from './support/rounds.js';
import { compare, type Row } from './support/row.js';

const TARGET = { atLeast: 0.5 };
const MS = 500;
/** Events between two reads of the clock. */
const EVENTS_PER_READ = 100;

const bells = [1, 3, 10].map((reactions) => ({ reactions, event: bellOf(reactions), handler: classOf(reactions) }));

/** Reactions that do nothing. */
@BusinessModule({
  name: 'bells',
  events: {},
  controllers: [],
  providers: bells.map(({ handler }) => handler),
  entities: [],
  migrations: [],
})
class BellsModule {}

/** The in-transaction dispatcher, without a transaction. */
@Global()
@Module({
  imports: [EventEmitterModule.forRoot()],
  providers: [
    { provide: Subscriptions, useValue: new Subscriptions([BellsModule], () => true) },
    { provide: Database, useValue: {} },
    { provide: TransactionRunner, useValue: {} },
    Handlers,
    InTransactionDispatcher,
  ],
  exports: [Database, TransactionRunner],
})
class DispatcherModule {}

@Module({ imports: [DispatcherModule, BellsModule] })
class BusApp {}

/**
 * Events per second of the in-transaction dispatcher, which runs reactions one after the other, divided by those of
 * `emitAsync`, which starts all listeners at once.
 */
export async function bus({ rounds: count }: Bench): Promise<Row[]> {
  const app = await NestFactory.createApplicationContext(BusApp, { logger: false, abortOnError: false });
  const dispatcher = app.get(InTransactionDispatcher);
  const bare = new EventEmitter2();
  const emission = { tx: {} as Transaction, session: { actAs: () => undefined } as unknown as Session };
  const rows: Row[] = [];
  for (const { reactions, event } of bells) {
    // oxlint-disable-next-line typescript/no-misused-promises -- emitAsync below awaits the promises of its listeners
    for (let nr = 0; nr < reactions; nr += 1) bare.on(event.type, react);
    const { ours, theirs } = await rounds(count, {
      ours: () => perSecond(() => dispatcher.dispatch(event, emission)),
      theirs: () => perSecond(() => bare.emitAsync(event.type, event, emission)),
    });
    const name = `bus, ${reactions} ${reactions === 1 ? 'reaction' : 'reactions'} per event`;
    const description = 'events through the in-transaction dispatcher; EventEmitter2.emitAsync';
    rows.push(compare({ name, description, unit: 'events/s', ours, theirs, target: TARGET }));
  }
  await app.close();
  return rows;
}

async function perSecond(emit: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let events = 0;
  for (;;) {
    for (let nr = 0; nr < EVENTS_PER_READ; nr += 1) await emit();
    events += EVENTS_PER_READ;
    const elapsed = performance.now() - start;
    if (elapsed > MS) return (events * 1_000) / elapsed;
  }
}

function contractOf(reactions: number) {
  const type = `bells.bell-${'r'.repeat(reactions)}ang.v1`;
  return defineEvent({
    type,
    description: 'A bell rang.',
    subject: () => 'bell/1',
    data: z.object({ bell: z.string() }),
  });
}

function bellOf(reactions: number): DomainEvent {
  const at = { id: '0', occurredAt: new Date().toISOString(), correlationId: '0', causationId: null };
  return { ...contractOf(reactions)({ bell: '1' }), ...at };
}

async function react(_event: DomainEvent, _tx: Transaction): Promise<void> {
  // Only the dispatch is measured, not the work of reactions.
}

/** A class with this number of reactions to its own event type. */
function classOf(reactions: number): Type {
  @Injectable()
  class Reactions {}
  for (let nr = 0; nr < reactions; nr += 1) {
    const method = `react${nr}Of${reactions}`;
    Object.defineProperty(Reactions.prototype, method, { value: react });
    ReactsTo(contractOf(reactions))(Reactions.prototype, method, { value: react });
  }
  return Reactions;
}
