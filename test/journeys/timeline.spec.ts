import { simpleParser } from 'mailparser';
import { journey } from '../support/journey.js';
import { anOrder, aProduct, stock } from '../support/words.js';

const REQUEST = 'basket-4711';

interface Entry {
  readonly kind: string;
  readonly eventId: string;
  readonly type?: string;
  readonly subscriber?: string;
  readonly template?: string;
  readonly state?: string;
  readonly causationId?: string | null;
}

test('the timeline of an order is complete, and request, log, events and e-mail have the same correlation id', () =>
  journey(async (stage) => {
    const mailServer = await stage.mailServer();
    const shop = await stage.shop({ SMTP_URL: mailServer.url });
    await stock(shop, aProduct('TEA', 10));

    const placed = await shop.post('/v1/orders', anOrder(), { 'x-correlation-id': REQUEST });
    const { id } = placed.body;
    await stage.quiet();
    await shop.post(`/v1/orders/${id}/shipment`, { carrier: 'Speedy Express', trackingNumber: 'SE-1' });
    await stage.quiet();
    await shop.post(`/v1/orders/${id}/delivery`);
    await stage.quiet();

    const { body } = await shop.get(`/v1/orders/${id}/timeline`);
    const entries: Entry[] = body.entries;
    expect(entries.map(summary)).toEqual([
      'event orders.order-placed.v1',
      'event inventory.stock-reserved.v1',
      'event orders.order-confirmed.v1',
      'message order-confirmed sent',
      'delivery notifications.emailConfirmation done',
      'event orders.order-shipped.v1',
      'event inventory.stock-dispatched.v1',
      'message order-shipped sent',
      'delivery notifications.emailShipment done',
      'event orders.order-delivered.v1',
      'message order-delivered sent',
      'delivery notifications.emailDelivery done',
    ]);
    const [placement, reservation, confirmation] = entries;
    expect(reservation?.causationId).toBe(placement?.eventId);
    expect(confirmation?.causationId).toBe(reservation?.eventId);
    expect(JSON.stringify(body)).not.toContain('maria@example.com');

    expect(placed.headers.get('x-correlation-id')).toBe(REQUEST);
    expect(shop.log.filter(({ correlationId }) => correlationId === REQUEST)).toContainEqual(
      expect.objectContaining({ msg: expect.stringMatching(/^POST \/v1\/orders 201 /) }),
    );
    const { body: events } = await shop.get(`/v1/events?correlationId=${REQUEST}`);
    expect(events.items.map((event: Entry) => event.type).toReversed()).toEqual(
      [placement, reservation, confirmation].map((event) => event?.type),
    );
    const [mail] = await Promise.all(mailServer.received.map(({ text }) => simpleParser(text)));
    expect(mail?.headers.get('x-correlation-id')).toBe(REQUEST);
    expect(shop.output).not.toContain('maria@');
  }));

function summary({ kind, type, subscriber, template, state }: Entry): string {
  return [kind, type ?? subscriber ?? template, state].join(' ').trim();
}
