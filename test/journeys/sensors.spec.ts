import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { journey, type Stage } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { until } from '../support/until.js';

const MAIN = resolve('examples/sensors/dist/examples/sensors/main.js');

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/sensors.mjs', '--build'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The example could not be built:\n${stderr}`);
});

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Receives the notifications of alerts. */
class Webhook {
  readonly calls: Call[] = [];
  private readonly server = createServer((request, response) => {
    void text(request).then((body) => {
      this.calls.push({ headers: request.headers, body: JSON.parse(body) });
      response.end();
    });
  });

  static async start(stage: Stage): Promise<Webhook> {
    const webhook = new Webhook();
    await once(webhook.server.listen(0, '127.0.0.1'), 'listening');
    stage.atEnd(() => webhook.server.close());
    return webhook;
  }

  get settings() {
    const { port } = this.server.address() as AddressInfo;
    return { ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/alerts` };
  }
}

async function measure(sensors: Program, ...temperatures: readonly number[]): Promise<void> {
  for (const celsius of temperatures) {
    const { status } = await sensors.post('/v1/readings', { sensor: 'boiler-1', celsius });
    expect(status).toBe(201);
  }
}

async function raisedEventIds(stage: Stage): Promise<string[]> {
  const rows = await stage.sql<{ id: string }>(
    `SELECT id FROM backbone.event WHERE type = 'alerts.alert-raised.v1' ORDER BY position`,
  );
  return rows.map(({ id }) => id);
}

test.concurrent('readings above the limit raise one alert, which the webhook receives once, and a cooler one clears it', () =>
  journey(async (stage) => {
    const webhook = await Webhook.start(stage);
    const sensors = await stage.shop(webhook.settings, MAIN);

    await measure(sensors, 20, 31, 35);
    const open = await sensors.get('/v1/alerts');
    await stage.quiet();
    await measure(sensors, 30);
    const cleared = await sensors.get('/v1/alerts');

    const alert = { id: expect.any(String), sensor: 'boiler-1', celsius: 31, raisedAt: expect.any(String) };
    expect(open.body).toEqual([{ ...alert, clearedAt: null }]);
    expect(cleared.body).toEqual([{ ...open.body[0], clearedAt: expect.any(String) }]);
    const { id: alertId } = open.body[0];
    const [eventId, ...others] = await raisedEventIds(stage);
    expect(others).toEqual([]);
    expect(webhook.calls).toEqual([
      {
        headers: expect.objectContaining({ 'idempotency-key': eventId, 'content-type': 'application/json' }),
        body: { alertId, sensor: 'boiler-1', celsius: 31 },
      },
    ]);

    const first = await sensors.get('/v1/readings?sensor=boiler-1&limit=3');
    const second = await sensors.get(`/v1/readings?sensor=boiler-1&limit=3&cursor=${first.body.nextCursor}`);
    const pages = [first, second].map(({ body }) => body.items.map(({ celsius }: { celsius: number }) => celsius));
    expect(pages).toEqual([[30, 35, 31], [20]]);
    expect(second.body.nextCursor).toBeNull();

    expect((await sensors.get('/health/ready')).body).toMatchObject({ status: 'ok' });
    expect((await sensors.get('/metrics')).body).toMatch(/^orderly_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
    expect((await sensors.get('/docs/openapi.json')).body).toMatchObject({
      info: { title: 'Sensors' },
      tags: [{ name: 'Alerts' }, { name: 'Readings' }, { name: 'Health' }],
      paths: { '/v1/readings': { post: {}, get: {} }, '/v1/alerts': { get: {} } },
    });
    expect(await sensors.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  }));

test.concurrent('an alert whose process is killed before the notification is notified after the restart', () =>
  journey(async (stage) => {
    const webhook = await Webhook.start(stage);
    const doomed = await stage.shop({ ...webhook.settings, CRASH_AT: 'after-commit' }, MAIN);

    await expect(measure(doomed, 40)).rejects.toThrow('fetch failed');
    expect(await doomed.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(webhook.calls).toEqual([]);
    await stage.endPauses();
    await stage.shop(webhook.settings, MAIN);
    await until('the webhook is called', () => webhook.calls.length > 0);
    await stage.quiet();

    expect(webhook.calls.map(({ headers }) => headers['idempotency-key'])).toEqual(await raisedEventIds(stage));
  }));
