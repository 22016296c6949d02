import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { BusinessModule } from '../business-module.js';
import { ReactsTo } from '../decorators.js';
import { ToyMade } from '../testing/toy-module.js';
import type { Transaction } from '../transaction.js';

let heard: string[];
let veto: string | undefined;

async function hear(what: string, { manager }: Transaction): Promise<void> {
  heard.push(`${what} begins`);
  await manager.query('SELECT 1');
  if (what === veto) throw new Error(`${what} refuses`);
  heard.push(`${what} ends`);
}

@Injectable()
class Painters {
  @ReactsTo(ToyMade)
  async sand(_: ToyMade, tx: Transaction): Promise<void> {
    await hear('sand', tx);
  }

  @ReactsTo(ToyMade)
  async paint(_: ToyMade, tx: Transaction): Promise<void> {
    await hear('paint', tx);
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
    heard = [];
    veto = undefined;
  });

  test('run one after the other, in the order of their methods', async () => {
    await stage.receive(ToyMade({ toy: randomUUID() }));

    expect(heard).toEqual(['sand begins', 'sand ends', 'paint begins', 'paint ends']);
  });

  test('do not begin any more when one before them has refused', async () => {
    veto = 'sand';

    await expect(stage.receive(ToyMade({ toy: randomUUID() }))).rejects.toThrow('sand refuses');

    expect(heard).toEqual(['sand begins']);
  });
});
