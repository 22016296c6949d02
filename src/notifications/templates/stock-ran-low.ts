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
    mood: { kind: 'watch', word: 'Low stock' },
    blocks: [
      paragraph(`What is available of ${oneLine(name, 80)} has fallen to its reorder level or below.`),
      facts(['Product', name], ['SKU', sku], ['Available', count(available)], ['Reorder level', count(reorderLevel)]),
      paragraph('You are told once, until the stock has been above its reorder level again.'),
    ],
  };
}
