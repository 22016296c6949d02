import { html, oneLine } from './html.js';
import { htmlOf } from './html-layout.js';
import type { Letter } from './letter.js';
import { orderCancelled } from './order-cancelled.js';
import { orderConfirmed } from './order-confirmed.js';
import { orderDelivered } from './order-delivered.js';
import { orderRejected } from './order-rejected.js';
import { orderShipped } from './order-shipped.js';
import { stockRanLow } from './stock-ran-low.js';
import { textOf } from './text-layout.js';

const shop = { name: 'Bean & Leaf', address: 'shop@shop.example' };
const orderId = '0192f3c2-7a1b-7c3d-9e4f-5a6b4f2a91c3';
const customerName = 'Maria Anders';

const letters: Letter[] = [
  orderConfirmed({
    orderId,
    customerName,
    lines: [{ quantity: 12_000, name: 'Chai', total: '$216.00' }],
    total: '$218.50',
  }),
  orderRejected({
    orderId,
    customerName,
    reason: 'Stock ran short',
    lines: [{ name: 'Chai', requested: 40, available: 39 }],
  }),
  orderCancelled({ orderId, customerName, reason: 'Ordered twice' }),
  orderShipped({ orderId, customerName, carrier: 'Federal Shipping', trackingNumber: '1Z999' }),
  orderDelivered({ orderId, customerName }),
  stockRanLow({ sku: 'NW-11', name: 'Queso Cabrales', available: 4, reorderLevel: 30 }),
];
const order = [customerName, '4F2A91C3', orderId];
const placeholders: Record<string, string[]> = {
  'order-confirmed': [...order, '12,000', 'Chai', '$216.00', '$218.50'],
  'order-rejected': [...order, 'Stock ran short', 'Chai', '40', '39'],
  'order-cancelled': [...order, 'Ordered twice'],
  'order-shipped': [...order, 'Federal Shipping', '1Z999'],
  'order-delivered': order,
  'stock-ran-low': ['NW-11', 'Queso Cabrales', '4', '30'],
};

describe.each(letters.map((letter) => [letter.template, letter] as const))('%s', (template, letter) => {
  const page = htmlOf(letter, shop).toString();
  const text = textOf(letter, shop);

  test.each(placeholders[template] ?? [])('has %s in its HTML and in its text', (value) => {
    expect(visible(page)).toContain(value);
    expect(text).toContain(value);
  });

  test('has a subject, a preheader, a language, and its sender in both parts', () => {
    expect(letter.subject).not.toBe('');
    expect(page).toContain(html`<title>${letter.subject}</title>`.toString());
    expect(page).toContain(html`${letter.preheader}`.toString());
    expect(page).toContain('<html lang="en"');
    expect(page).toContain('Bean &#38; Leaf');
    expect(text).toContain('Bean & Leaf, shop@shop.example');
  });

  test('loads nothing and runs nothing', () => {
    expect(page).not.toMatch(/<(img|script|link|iframe|form)\b|url\(|@import|\bsrc=/i);
    expect(page).not.toMatch(/undefined|\[object|NaN/);
    expect(text).not.toMatch(/undefined|\[object|NaN/);
  });

  test('closes all its tags, including those for Outlook', () => {
    for (const tag of ['table', 'tr', 'td', 'th', 'p', 'div', 'h1', 'thead', 'tbody', 'tfoot', 'style']) {
      const count = (pattern: string) => page.match(new RegExp(pattern, 'g'))?.length;
      expect(count(`<${tag}[\\s>]`)).toBe(count(`</${tag}>`));
    }
    expect(page.match(/<!--\[if mso\]>/g)).toHaveLength(3);
    expect(page.match(/<!\[endif\]-->/g)).toHaveLength(3);
  });
});

describe('a text that a person typed', () => {
  const hostile = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>\r\nBcc: thief@evil.example\u202e";
  const from = { orderId, customerName: hostile };
  const hostileLetters: Letter[] = [
    orderConfirmed({ ...from, lines: [{ quantity: 1, name: hostile, total: '$1.00' }], total: '$1.00' }),
    orderRejected({ ...from, reason: hostile, lines: [{ name: hostile, requested: 2, available: 1 }] }),
    orderCancelled({ ...from, reason: hostile }),
    orderShipped({ ...from, carrier: hostile, trackingNumber: hostile }),
    orderDelivered(from),
    stockRanLow({ sku: 'NW-11', name: hostile, available: 4, reorderLevel: 30 }),
  ];

  test.each(hostileLetters.map((letter) => [letter.template, letter] as const))('stays text in %s', (_name, letter) => {
    const page = htmlOf(letter, { ...shop, name: hostile }).toString();

    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&#60;script&#62;');
    expect(letter.subject).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(textOf(letter, shop)).not.toMatch(/^Bcc:/m);
    expect(textOf(letter, shop)).not.toContain('\u202e');
  });

  test('becomes one line of limited length, without half characters', () => {
    expect(oneLine('  a\r\n\tb\u0000\u2028c  ')).toBe('a b c');
    expect(oneLine('😀'.repeat(10), 4)).toBe('😀😀😀…');
  });
});

test('markup in markup is not escaped again', () => {
  expect(html`<p>${[html`<b>${'<'}</b>`, html`${'&'}`]}${7}</p>`.toString()).toBe('<p><b>&#60;</b>&#38;7</p>');
});

/** The text between the tags. */
function visible(page: string): string {
  return page.replace(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ');
}
