import { oneLine } from './html.js';
import { facts, type Letter, orderFacts, paragraph, shortNumber } from './letter.js';

interface DeliveredOrder {
  readonly orderId: string;
  readonly customerName: string;
}

export function orderDelivered({ orderId, customerName }: DeliveredOrder): Letter {
  return {
    template: 'order-delivered',
    subject: `Your order ${shortNumber(orderId)} has arrived`,
    preheader: 'Your parcel has been delivered. We hope that you enjoy it.',
    heading: oneLine(`It has arrived, ${oneLine(customerName, 80)}!`),
    badge: { kind: 'good', label: 'Delivered' },
    blocks: [
      paragraph('Your parcel has been delivered. We hope that you enjoy what is in it.'),
      facts(...orderFacts(orderId)),
      paragraph('Not with you, or not as it should be? Please reply to this mail and we will see to it.'),
    ],
  };
}
