import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { BusinessModule } from '../business-module.js';
import { ReactsTo } from '../decorators.js';
import { ToyMade } from '../testing/toy-module.js';
import type { Transaction } from '../transaction.js';

let steps: string[];
let failing: string | undefined;

async function react(name: string, { manager }: Transaction): Promise<void> {
  steps.push(`${name} begins`);
  await manager.query('SELECT 1');
  if (name === failing) throw new Error(`${name} refuses`);
  steps.push(`${name} ends`);
}

@Injectable()
class Painters {
  @ReactsTo(ToyMade)
  async sand(_: ToyMade, tx: Transaction): Promise<void> {
    await react('sand', tx);
  }

  @ReactsTo(ToyMade)
  async paint(_: ToyMade, tx: Transaction): Promise<void> {
    await react('paint', tx);
  }

  /** Not a subscriber: the emitter is an inside of the backbone. */
  @OnEvent(ToyMade.type)
  listen(): void {
    steps.push('listened');
  }
}

@BusinessModule({
  name: 'painters',
  events: { ToyMade },
  controllers: [],
  providers: [Painters],
  entities: [],
  migrations: [],
})
class PaintersModule {}

describe('reactions to one event', () => {
  let stage: ModuleStage;

  beforeAll(async () => {
    stage = await ModuleStage.of(PaintersModule, { MODULE_ROLES: 'off' });
  });
  afterAll(() => stage.close());
  beforeEach(() => {
    steps = [];
    failing = undefined;
  });

  test('run one after the other, in the sequence of their methods', async () => {
    await stage.receive(ToyMade({ toy: randomUUID() }));

    expect(steps).toEqual(['sand begins', 'sand ends', 'paint begins', 'paint ends']);
  });

  test('do not start after an earlier one has failed', async () => {
    failing = 'sand';

    await expect(stage.receive(ToyMade({ toy: randomUUID() }))).rejects.toThrow('sand refuses');

    expect(steps).toEqual(['sand begins']);
  });
});
