import { oneLine } from './html.js';
import { count, facts, type Letter, orderFacts, paragraph, shortNumber } from './letter.js';

interface ConfirmedOrder {
  readonly orderId: string;
  readonly customerName: string;
  readonly lines: readonly { readonly quantity: number; readonly name: string; readonly total: string }[];
  readonly total: string;
}

export function orderConfirmed({ orderId, customerName, lines, total }: ConfirmedOrder): Letter {
  return {
    template: 'order-confirmed',
    subject: `Your order ${shortNumber(orderId)} is confirmed`,
    preheader: `Everything is in stock and set aside for you. Total: ${total}.`,
    heading: oneLine(`Thank you, ${oneLine(customerName, 80)}!`),
    badge: { kind: 'good', label: 'Confirmed' },
    blocks: [
      paragraph('Your order is confirmed. Everything is in stock and set aside for you, and we are getting it ready.'),
      {
        kind: 'table',
        caption: 'What you ordered',
        head: ['Qty', 'Item', 'Total'],
        rows: lines.map((line) => [count(line.quantity), oneLine(line.name), line.total]),
        foot: { label: 'Total', value: total },
      },
      facts(...orderFacts(orderId)),
      paragraph('We will write again as soon as your parcel is on its way.'),
    ],
  };
}
