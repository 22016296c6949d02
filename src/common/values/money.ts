import { z } from 'zod';

/** Just below the largest safe integer: amounts up to here are exact in JSON and JavaScript. */
export const AMOUNT_MAX = 9_000_000_000_000_000;

/** An amount of money in minor units of an ISO 4217 currency: 1800 USD is $18.00. */
export const money = z
  .strictObject({
    amount: z.int().min(-AMOUNT_MAX).max(AMOUNT_MAX),
    currency: z.string().regex(/^[A-Z]{3}$/, 'Give an ISO 4217 code such as USD'),
  })
  .meta({
    id: 'Money',
    description: 'Minor units (cents) and an ISO 4217 currency',
    example: { amount: 1800, currency: 'USD' },
  });

export type Money = z.infer<typeof money>;

export function isSameMoney(one: Money, other: Money): boolean {
  return one.amount === other.amount && one.currency === other.currency;
}

/** For people: `$18.00`, `¥1,800`. */
export function formatMoney({ amount, currency }: Money, locale = 'en'): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  // A string, because the division of a large amount would be off by a cent.
  return format.format(`${amount}E-${digits}` as `${number}`);
}
