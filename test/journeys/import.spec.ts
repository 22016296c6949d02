import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { journey } from '../support/journey.js';
import type { Program } from '../support/program.js';
import { aProduct } from '../support/words.js';

const LINES = 25_000;
const PRODUCTS = 5_000;
const BAD_EVERY = 4_999;
/** Lines are padded with blanks to 200 MB in total, so that a buffered stream would be visible in memory. */
const LINE_BYTES = 8_192;
const GROWTH_MAX_MB = 120;
/** Newer versions of Node let new objects occupy more memory before they collect them, which would hide what is kept. */
const NODE_OPTIONS = '--max-semi-space-size=16';

test(`an import of ${LINES} lines needs no more memory than a short one, and reports the invalid lines`, () =>
  journey(async (stage) => {
    const shop = await stage.shop({ NODE_OPTIONS });
    await send(shop, linesOf(PRODUCTS / 10));
    const before = memoryOf(shop);
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, memoryOf(shop));
    }, 200);

    const report = await send(shop, linesOf(LINES)).finally(() => clearInterval(watch));

    expect(report).toEqual({
      listed: PRODUCTS - PRODUCTS / 10,
      changed: 0,
      unchanged: LINES - PRODUCTS + PRODUCTS / 10 - 5,
      rejected: [1, 2, 3, 4, 5].map((nth) => ({
        line: nth * BAD_EVERY,
        code: 'request-invalid',
        detail: expect.stringContaining('onHand'),
      })),
      rejectedTotal: 5,
    });
    expect(peak - before).toBeLessThan(GROWTH_MAX_MB);
  }));

function* linesOf(count: number): Generator<string> {
  for (let number = 1; number <= count; number += 1) {
    const product = aProduct(`SKU-${number % PRODUCTS}`, number % BAD_EVERY === 0 ? -1 : 5);
    yield `${JSON.stringify(product).padEnd(LINE_BYTES - 1)}\n`;
  }
}

async function send({ url }: Program, lines: Iterable<string>) {
  const headers = { 'content-type': 'application/x-ndjson' };
  const request = httpRequest(`${url}/v1/products/import`, { method: 'POST', headers, agent: false });
  const answered = once(request, 'response');
  await pipeline(Readable.from(lines), request);
  const [response] = await answered;
  return JSON.parse(Buffer.concat(await response.toArray()).toString());
}

/** Resident memory in megabytes. */
function memoryOf({ pid }: Program): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString()) / 1024;
}
