import * as fc from 'fast-check';
import { AMOUNT_MAX, formatMoney, isSameMoney, money } from './money.js';

const amounts = fc.integer({ min: -AMOUNT_MAX, max: AMOUNT_MAX });

test.each([
  [1800, 'USD', '$18.00'],
  [5, 'USD', '$0.05'],
  [-5, 'EUR', '-€0.05'],
  [1800, 'JPY', '¥1,800'],
  [1800, 'KWD', 'KWD\u00a01.800'],
  [AMOUNT_MAX - 1, 'USD', '$89,999,999,999,999.99'],
])('%d %s is written as a person writes it', (amount, currency, text) => {
  expect(formatMoney({ amount, currency })).toBe(text);
});

test('every amount is written to the last minor unit', () => {
  fc.assert(
    fc.property(amounts, fc.constantFrom('USD', 'JPY', 'KWD'), (amount, currency) => {
      const written = formatMoney({ amount, currency }).replace(/[^\d-]/g, '');
      expect(Number(written)).toBe(amount);
    }),
  );
});

test('money survives JSON exactly, and is the same only in the same currency', () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      const price = { amount, currency: 'USD' };
      expect(money.parse(JSON.parse(JSON.stringify(price)))).toEqual(price);
      expect(isSameMoney(price, { ...price })).toBe(true);
      expect(isSameMoney(price, { ...price, currency: 'EUR' })).toBe(false);
    }),
  );
});

test.each([[0.5], [AMOUNT_MAX + 1], [Number.NaN], ['18']])('%p is no amount', (amount) => {
  expect(money.safeParse({ amount, currency: 'USD' }).success).toBe(false);
});
