import { waitSecondsOf } from './prefer-header.js';

test.each([
  [undefined, 0],
  ['wait=3', 3],
  ['Wait = "3"', 3],
  ['respond-async, wait=2', 2],
  ['respond-async;wait=2', 2],
  ['wait=100', 5],
  ['wait=-1', 0],
  ['wait=1.5', 0],
  ['wait=soon', 0],
  ['await=3', 0],
])('%j is a wait of %d seconds', (prefer, seconds) => {
  expect(waitSecondsOf(prefer)).toBe(seconds);
});
