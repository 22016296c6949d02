import { bigintColumn } from './bigint-column.js';
import { AMOUNT_MAX } from './money.js';

test.each([0, 1, -1, 2_147_483_648, AMOUNT_MAX, -AMOUNT_MAX])('%d is read as the number that was stored', (value) => {
  expect(bigintColumn.from(String(bigintColumn.to(value)))).toBe(value);
});
