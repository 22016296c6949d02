import { oneLine } from './html.js';
import { count, facts, type Letter, paragraph } from './letter.js';

interface LowStock {
  readonly sku: string;
  readonly name: string;
  readonly available: number;
  readonly reorderLevel: number;
}

export function stockRanLow({ sku, name, available, reorderLevel }: LowStock): Letter {
  return {
    template: 'stock-ran-low',
    subject: oneLine(`Low stock: ${oneLine(name, 80)} (${sku})`),
    preheader: `${count(available)} available, the reorder level is ${count(reorderLevel)}.`,
    heading: 'Time to reorder',
    badge: { kind: 'watch', label: 'Low stock' },
    blocks: [
      paragraph(`The available stock of ${oneLine(name, 80)} has fallen to its reorder level or below.`),
      facts(['Product', name], ['SKU', sku], ['Available', count(available)], ['Reorder level', count(reorderLevel)]),
      paragraph('The next such mail comes only after the stock has been above its reorder level again.'),
    ],
  };
}
