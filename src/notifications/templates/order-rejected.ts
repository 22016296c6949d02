import { oneLine } from './html.js';
import { count, facts, type Letter, orderFacts, paragraph, shortNumber } from './letter.js';

/** Texts for the known reasons. Another reason is shown unchanged. */
const REASONS = new Map([['out-of-stock', 'Not everything is in stock']]);

interface RejectedOrder {
  readonly orderId: string;
  readonly customerName: string;
  readonly reason: string;
  readonly lines: readonly { readonly name: string; readonly requested: number; readonly available: number }[];
}

export function orderRejected({ orderId, customerName, reason, lines }: RejectedOrder): Letter {
  return {
    template: 'order-rejected',
    subject: `We could not accept your order ${shortNumber(orderId)}`,
    preheader: 'We are sorry: not everything you asked for is in stock. Nothing has been set aside for this order.',
    heading: oneLine(`We are sorry, ${oneLine(customerName, 80)}`),
    badge: { kind: 'bad', label: 'Not accepted' },
    blocks: [
      paragraph('We could not accept your order, and nothing has been set aside for it.'),
      facts(['Reason', REASONS.get(reason) ?? reason], ...orderFacts(orderId)),
      {
        kind: 'table',
        caption: 'Not in stock',
        head: ['Ordered', 'Item', 'In stock'],
        rows: lines.map((line) => [count(line.requested), oneLine(line.name), count(line.available)]),
      },
      paragraph('You are welcome to order again with what is in stock, or to try later: we restock regularly.'),
    ],
  };
}
