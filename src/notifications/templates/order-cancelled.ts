import { oneLine } from './html.js';
import { facts, type Letter, orderFacts, paragraph, shortNumber } from './letter.js';

interface CancelledOrder {
  readonly orderId: string;
  readonly customerName: string;
  readonly reason: string;
}

export function orderCancelled({ orderId, customerName, reason }: CancelledOrder): Letter {
  return {
    template: 'order-cancelled',
    subject: `Your order ${shortNumber(orderId)} is cancelled`,
    preheader: 'Your order is cancelled and nothing will be sent.',
    heading: oneLine(`Your order is cancelled, ${oneLine(customerName, 80)}`),
    badge: { kind: 'bad', label: 'Cancelled' },
    blocks: [
      paragraph('Nothing will be sent, and there is nothing that you have to do.'),
      facts(['Reason', reason], ...orderFacts(orderId)),
      paragraph('If this comes as a surprise, please reply to this mail. We would be glad to help.'),
    ],
  };
}
