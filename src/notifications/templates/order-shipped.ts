import { oneLine } from './html.js';
import { facts, type Letter, orderFacts, paragraph, shortNumber } from './letter.js';

interface ShippedOrder {
  readonly orderId: string;
  readonly customerName: string;
  readonly carrier: string;
  readonly trackingNumber: string;
}

export function orderShipped({ orderId, customerName, carrier, trackingNumber }: ShippedOrder): Letter {
  return {
    template: 'order-shipped',
    subject: `Your order ${shortNumber(orderId)} is on its way`,
    preheader: oneLine(`Your parcel has left our warehouse with ${carrier}.`),
    heading: oneLine(`Good news, ${oneLine(customerName, 80)}!`),
    badge: { kind: 'good', label: 'On its way' },
    blocks: [
      paragraph('Your parcel has left our warehouse. With the tracking number its carrier can tell you where it is.'),
      facts(['Carrier', carrier], ['Tracking number', trackingNumber], ...orderFacts(orderId)),
    ],
  };
}
