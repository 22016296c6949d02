import { randomUUID } from 'node:crypto';
import { getQueueToken } from '@nestjs/bullmq';
import { ModuleStage } from '../../operations/testing/module-stage.js';
import { Script, ToySold, ToysModule } from '../testing/toy-module.js';
import type { DeliveryJob } from './dispatcher.js';
import type { ModuleWorker } from './module-worker.js';
import type { MonitoredQueue } from './monitored-queue.js';
import { WORKERS } from './worker-supervisor.js';

let stage: ModuleStage;
afterEach(() => stage.close());

/** A handler that runs until the test ends it, and counts the runs at the same time. */
class Bell {
  rung: string[] = [];
  maxRinging = 0;
  private readonly ringing: (() => void)[] = [];
  private changed = (): void => undefined;

  constructor(script: Script) {
    script.on('ring', async ({ data }) => {
      await new Promise<void>((end) => {
        this.maxRinging = Math.max(this.maxRinging, this.ringing.push(end));
        this.changed();
      });
      this.rung.push(data.toy);
      this.changed();
    });
  }

  /** Resolves when so many handlers run. */
  async untilRinging(count: number): Promise<void> {
    while (this.ringing.length < count) await this.change();
  }

  /** Resolves when so many handlers have ended. */
  async untilRung(count: number): Promise<void> {
    while (this.rung.length < count) await this.change();
  }

  end(): void {
    this.ringing.shift()?.();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => (this.changed = resolve));
  }
}

async function open(concurrency: number): Promise<Bell> {
  const settings = { WORKERS: 'on', MODULE_ROLES: 'off', WORKER_CONCURRENCY: String(concurrency) };
  stage = await ModuleStage.of(ToysModule, settings);
  return new Bell(stage.app.get(Script, { strict: false }));
}

async function sell(count: number): Promise<string[]> {
  const toys = Array.from({ length: count }, () => randomUUID());
  await stage.receive(...toys.map((toy) => ToySold({ toy })));
  return toys;
}

test('a worker handles no more deliveries at the same time than its concurrency, however many are in one job', async () => {
  const bell = await open(2);

  const toys = await sell(5);
  for (let nr = 1; nr <= 5; nr += 1) {
    await bell.untilRinging(Math.min(2, 6 - nr));
    bell.end();
    await bell.untilRung(nr);
  }

  expect(bell.maxRinging).toBe(2);
  expect(bell.rung.toSorted()).toEqual(toys.toSorted());
});

test('when a worker closes, deliveries that have not started are enqueued again, and running ones end', async () => {
  const bell = await open(1);
  const toys = await sell(3);
  await bell.untilRinging(1);

  const [worker] = stage.app.get<[ModuleWorker]>(WORKERS);
  const queue: MonitoredQueue = stage.app.get(getQueueToken('toys'), { strict: false });
  const waiting = async () => {
    const deliveries = (await queue.getWaiting()).flatMap(({ data }: DeliveryJob) => data);
    return deliveries.filter(({ subscriber }) => subscriber === 'toys.ring').map(({ eventId }) => eventId);
  };
  const closed = worker.close();
  while ((await waiting()).length < 2);
  expect(bell.rung).toEqual([]);
  bell.end();
  await closed;

  const left = await waiting();
  const events = await stage.query<{ id: string; toy: string }>(`SELECT id, data ->> 'toy' AS toy FROM backbone.event`);
  const toysLeft = events.filter(({ id }) => left.includes(id)).map(({ toy }) => toy);
  expect([...toysLeft, ...bell.rung].toSorted()).toEqual(toys.toSorted());
  expect(bell.rung).toHaveLength(1);
});

test('a worker that closes is not replaced', async () => {
  await open(1);
  const [host] = stage.app.get<[ModuleWorker]>(WORKERS);
  const { worker } = host;
  await host.close();

  await host.replace();

  expect(host.worker).toBe(worker);
});
