import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { BusinessModule } from '../business-module.js';
import { type DurableOptions, ReactsTo, SideEffect, type SideEffectContext } from '../decorators.js';
import { defineEvent, type EventOf, personal } from '../domain-event.js';
import type { Transaction } from '../transaction.js';
import { Transactions } from '../transaction.js';

const subject = ({ toy }: { toy: string }): string => `toy/${toy}`;
const data = z.object({ toy: z.string(), note: z.string().default('') });

export const ToyMade = defineEvent({ type: 'toys.toy-made.v1', description: 'A toy exists.', subject, data });
export type ToyMade = EventOf<typeof ToyMade>;

export const ToyPainted = defineEvent({
  type: 'toys.toy-painted.v1',
  description: 'A toy has a colour.',
  subject,
  data,
});
export type ToyPainted = EventOf<typeof ToyPainted>;

export const ToySold = defineEvent({
  type: 'toys.toy-sold.v1',
  description: 'A toy found a child.',
  subject,
  data: data.extend({ child: personal(z.string()).optional() }),
});
export type ToySold = EventOf<typeof ToySold>;

export const ToyForgotten = defineEvent({
  type: 'toys.toy-forgotten.v1',
  description: 'A toy was forgotten.',
  subject,
  data,
  allowNoSubscribers: true,
});

type Run = (event: { data: { toy: string; note: string } }, context: Transaction | SideEffectContext) => Promise<void>;

const QUICKLY = { attempts: 6, backoff: { firstMs: 5, maxMs: 20 }, timeoutMs: 2_000 } as const satisfies DurableOptions;

/** The behaviour of the handlers, set by tests. A handler without a part does nothing. */
@Injectable()
export class Script {
  private readonly parts = new Map<string, Run>();

  on(handler: 'paint' | 'sell' | 'count' | 'ring' | 'wrap', run: Run): void {
    this.parts.set(handler, run);
  }

  async play(handler: string, ...[event, context]: Parameters<Run>): Promise<void> {
    await this.parts.get(handler)?.(event, context);
  }
}

@Injectable()
class ToysReactions {
  constructor(private readonly script: Script) {}

  @ReactsTo(ToyMade)
  async paint(event: ToyMade, tx: Transaction): Promise<void> {
    await this.script.play('paint', event, tx);
  }

  @ReactsTo(ToyPainted)
  async sell(event: ToyPainted, tx: Transaction): Promise<void> {
    await this.script.play('sell', event, tx);
  }

  @ReactsTo(ToySold, { later: true, ...QUICKLY })
  async count(event: ToySold, tx: Transaction): Promise<void> {
    await this.script.play('count', event, tx);
  }

  @SideEffect(ToySold, QUICKLY)
  async ring(event: ToySold, context: SideEffectContext): Promise<void> {
    await this.script.play('ring', event, context);
  }

  @SideEffect(ToySold, { ...QUICKLY, behindDead: 'pass' })
  async wrap(event: ToySold, context: SideEffectContext): Promise<void> {
    await this.script.play('wrap', event, context);
  }
}

/** A provider that gives tests the `Transactions` of the module. */
@Injectable()
export class Workshop {
  constructor(readonly transactions: Transactions) {}
}

/** A module with one subscriber of every kind, for the tests of the backbone. */
@BusinessModule({
  name: 'toys',
  events: { ToyMade, ToyPainted, ToySold, ToyForgotten },
  controllers: [],
  providers: [Script, ToysReactions, Workshop],
  entities: [],
  migrations: [],
})
export class ToysModule {}
