import { Readable } from 'node:stream';
import { ndjsonLines } from './ndjson.js';

async function read(chunks: string[], maxBytes = 10): Promise<[number, string | null][]> {
  const lines: [number, string | null][] = [];
  for await (const { number, bytes } of ndjsonLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), maxBytes))
    lines.push([number, bytes && bytes.toString()]);
  return lines;
}

test.each<[string, string[], [number, string | null][]]>([
  ['an empty stream', [], []],
  ['a line without a newline at its end', ['abc'], [[1, 'abc']]],
  [
    'lines in one chunk',
    ['abc\ndef\n'],
    [
      [1, 'abc'],
      [2, 'def'],
    ],
  ],
  [
    'a line in many chunks',
    ['a', 'b', 'c\nd'],
    [
      [1, 'abc'],
      [2, 'd'],
    ],
  ],
  ['blank lines, which are counted', ['\n \nabc\n\r\n'], [[3, 'abc']]],
  [
    'a line that is too long',
    ['0123456789\n0123456789x\nabc'],
    [
      [1, '0123456789'],
      [2, null],
      [3, 'abc'],
    ],
  ],
  ['a line without a newline that is too long', ['0123456789', '0123456789', '0123456789'], [[1, null]]],
])('reads %s', async (_, chunks, lines) => expect(await read(chunks)).toEqual(lines));

test('a character may be split between chunks', async () => {
  const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)];
  const lines: string[] = [];
  for await (const { bytes } of ndjsonLines(Readable.from([first, second]), 10)) lines.push(String(bytes));
  expect(lines).toEqual(['ä']);
});
