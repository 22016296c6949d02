import { setTimeout as pause } from 'node:timers/promises';
import { ownProcessorMs } from '../support/processor-time.js';
import { serve, settings } from '../support/serve.js';
import { openCourier } from './courier-app.js';
import { type Courier, type CourierSettings, newIds } from './courier-settings.js';
import { Latencies, paced } from './latencies.js';

/** A typical batch size of an import. */
const EVENTS_PER_TRANSACTION = 100;

/** Enough concurrent publishers to keep the database busy. */
const PUBLISHERS = 8;

const own = settings() as CourierSettings;

/** The backbone: publishes events, and delivers them to a side effect. */
serve({
  async fill(count) {
    const courier = await openCourier(own, 'off');
    for (let nr = 0; nr < count; nr += EVENTS_PER_TRANSACTION)
      await courier.confirm(newIds(Math.min(EVENTS_PER_TRANSACTION, count - nr)));
    await courier.enqueued();
    await courier.close();
  },

  async drain(seconds) {
    const courier = await openCourier(own, 'on');
    let done = 0;
    await new Promise<void>((resolve) => {
      courier.reactions.onStart = () => resolve();
    });
    courier.reactions.onStart = () => {
      done += 1;
    };
    const start = performance.now();
    const before = ownProcessorMs();
    await pause(seconds * 1_000);
    const drained = {
      perSecond: (done * 1_000) / (performance.now() - start),
      done,
      msEach: (ownProcessorMs() - before) / done,
    };
    await courier.close();
    return drained;
  },

  async latencies(pace) {
    const courier = await openCourier(own, 'on');
    const latencies = new Latencies();
    courier.reactions.onStart = (orderId) => latencies.end(orderId);
    await paced(pace, async () => {
      const [orderId = ''] = newIds(1);
      await courier.confirm([orderId]);
      latencies.begin(orderId);
    });
    const all = await latencies.whenWarm();
    await courier.close();
    return all;
  },

  async loseJobs() {
    const courier = await openCourier(own, 'off');
    await courier.loseJobs();
    await courier.close();
  },

  async capacity(seconds) {
    const courier = await openCourier(own, 'on');
    const latencies = new Latencies();
    courier.reactions.onStart = (orderId) => latencies.end(orderId);
    const start = performance.now();
    const publish = async () => {
      while (performance.now() < start + seconds * 1_000) {
        const [orderId = ''] = newIds(1);
        await courier.confirm([orderId]);
        latencies.begin(orderId);
      }
    };
    await Promise.all(Array.from({ length: PUBLISHERS }, publish));
    const count = await latencies.count();
    const perSecond = (count * 1_000) / (performance.now() - start);
    await courier.close();
    return perSecond;
  },
} satisfies Courier);
