import { setTimeout as pause } from 'node:timers/promises';
import { serve, settings } from '../support/serve.js';
import { openCourier } from './courier-app.js';
import { type Carrier, type CourierSettings, newIds } from './courier-settings.js';

/** As an import or a busy second would publish them. */
const EVENTS_A_TRANSACTION = 100;

const DONE = `SELECT count(*)::integer AS done FROM backbone.delivery WHERE state = 'done'`;

const own = settings() as CourierSettings;

/** The backbone: publishes events, and delivers them to a side effect. */
serve({
  async fill(count) {
    const courier = await openCourier(own, 'off');
    for (let nr = 0; nr < count; nr += EVENTS_A_TRANSACTION)
      await courier.confirm(newIds(Math.min(EVENTS_A_TRANSACTION, count - nr)));
    await courier.handedOver();
    await courier.close();
  },

  async drain(seconds) {
    const courier = await openCourier(own, 'on');
    await new Promise<void>((resolve) => {
      courier.reactions.heard = () => resolve();
    });
    const doneBy = async () => (await courier.database.query<{ done: number }>(DONE))[0]?.done ?? 0;
    const before = await doneBy();
    const start = performance.now();
    await pause(seconds * 1_000);
    const done = (await doneBy()) - before;
    const perSecond = (done * 1_000) / (performance.now() - start);
    await courier.close();
    return { perSecond, done };
  },
} satisfies Carrier);
