import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { Transactions } from '../backbone/transaction.js';
import { DomainError } from '../common/errors/domain-error.js';
import { parseJson } from '../common/http/json-body.js';
import { ndjsonLines } from '../common/http/ndjson.js';
import { parseOrReject } from '../common/http/validation.js';
import { importLine, type importReport } from './inventory.dto.js';
import { LineTooLong } from './inventory.errors.js';
import { ProductsService } from './products.service.js';
import { StockService } from './stock.service.js';

type Line = z.output<typeof importLine>;
type Report = z.infer<typeof importReport>;

const BATCH = 200;
/** A line is a product, so what is longer is no line; it is passed over without being kept in memory. */
const LINE_BYTES_MAX = 64 * 1024;
const REJECTED_NAMED_MAX = 1_000;

/** Takes a catalogue of any length in constant memory. What is stored stays stored, so a broken import can be repeated. */
@Injectable()
export class ProductsImport {
  constructor(
    private readonly products: ProductsService,
    private readonly stock: StockService,
    private readonly transactions: Transactions,
  ) {}

  async run(input: Readable): Promise<Report> {
    const report: Report = { listed: 0, changed: 0, unchanged: 0, rejected: [], rejectedTotal: 0 };
    const batch = new Map<string, Line>();
    for await (const { number, bytes } of ndjsonLines(input, LINE_BYTES_MAX)) {
      const line = readLine(bytes);
      if (line instanceof DomainError) reject(report, { line: number, code: line.code, detail: line.message });
      else {
        if (batch.has(line.sku) || batch.size === BATCH) await this.store(batch, report);
        batch.set(line.sku, line);
      }
    }
    await this.store(batch, report);
    return report;
  }

  private async store(batch: Map<string, Line>, report: Report): Promise<void> {
    const lines = [...batch.values()];
    batch.clear();
    if (lines.length === 0) return;
    const listings = await this.transactions.run(async (tx) => {
      const listings = await this.products.putAll(lines, tx);
      const listed = lines.filter(({ sku }) => listings.get(sku) === 'listed');
      await this.stock.open(
        listed.flatMap(({ sku, onHand }) => (onHand ? [{ sku, onHand }] : [])),
        tx,
      );
      return listings;
    });
    for (const listing of listings.values()) report[listing] += 1;
  }
}

/** The product of a line, or what is wrong with it. */
function readLine(bytes: Buffer | null): Line | DomainError {
  if (bytes === null) return new LineTooLong(LINE_BYTES_MAX);
  try {
    return parseOrReject(importLine, parseJson(bytes));
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function reject(report: Report, rejection: Report['rejected'][number]): void {
  report.rejectedTotal += 1;
  if (report.rejected.length < REJECTED_NAMED_MAX) report.rejected.push(rejection);
}
