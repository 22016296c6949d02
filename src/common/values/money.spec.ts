import { AMOUNT_MAX, formatMoney, isSameMoney, money } from './money.js';

describe('money', () => {
  test.each([
    { amount: 1_800, currency: 'USD' },
    { amount: 0, currency: 'JPY' },
    { amount: AMOUNT_MAX, currency: 'EUR' },
    { amount: -AMOUNT_MAX, currency: 'EUR' },
  ])('is a whole number of minor units in a currency: $amount $currency', (value) => {
    expect(money.parse(value)).toEqual(value);
  });

  test.each([
    ['half a cent', { amount: 0.5, currency: 'USD' }],
    ['an amount above the limit', { amount: AMOUNT_MAX + 1, currency: 'USD' }],
    ['an amount below the limit', { amount: -AMOUNT_MAX - 1, currency: 'USD' }],
    ['an amount as a text', { amount: '18', currency: 'USD' }],
    ['an amount that is not a number', { amount: Number.NaN, currency: 'USD' }],
    ['a currency in lower case', { amount: 18, currency: 'usd' }],
    ['a currency symbol', { amount: 18, currency: '$' }],
    ['a currency with trailing characters', { amount: 18, currency: 'USD\n' }],
    ['an amount without a currency', { amount: 18 }],
    ['an object with an unknown field', { amount: 18, currency: 'USD', cents: 0 }],
  ])('is not %s', (_, value) => {
    expect(money.safeParse(value).success).toBe(false);
  });

  test('is exact up to its limit', () => {
    expect(Number.isSafeInteger(AMOUNT_MAX)).toBe(true);
    expect(AMOUNT_MAX - 1 + 1).toBe(AMOUNT_MAX);
  });

  test.each<[number, string, string]>([
    [1_800, 'USD', '$18.00'],
    [5, 'USD', '$0.05'],
    [-1_850, 'USD', '-$18.50'],
    [123_456_789, 'EUR', '€1,234,567.89'],
    [1_800, 'JPY', '¥1,800'],
    [1_234, 'KWD', 'KWD\u00a01.234'],
    [AMOUNT_MAX, 'USD', '$90,000,000,000,000.00'],
    [AMOUNT_MAX - 1, 'USD', '$89,999,999,999,999.99'],
    [0, 'CHF', 'CHF\u00a00.00'],
  ])('of %d %s is formatted as %s', (amount, currency, written) => {
    expect(formatMoney({ amount, currency })).toBe(written);
  });

  test('is formatted by the rules of the locale', () => {
    expect(formatMoney({ amount: 123_456, currency: 'EUR' }, 'de')).toBe('1.234,56\u00a0€');
  });

  test('is equal if both the amount and the currency are', () => {
    const price = { amount: 1_800, currency: 'USD' };

    expect(isSameMoney(price, { ...price })).toBe(true);
    expect(isSameMoney(price, { ...price, amount: 1_801 })).toBe(false);
    expect(isSameMoney(price, { ...price, currency: 'EUR' })).toBe(false);
  });
});
