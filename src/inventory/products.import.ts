import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { Transactions } from '../backbone/transaction.js';
import { DomainError } from '../common/errors/domain-error.js';
import { parseJson } from '../common/http/json-body.js';
import { ndjsonLines } from '../common/http/ndjson.js';
import { parseOrReject } from '../common/http/validation.js';
import { type ImportReport, importLine } from './inventory.dto.js';
import { LineTooLong } from './inventory.errors.js';
import { ProductsService } from './products.service.js';
import { StockService } from './stock.service.js';

type Line = z.output<typeof importLine>;

const BATCH_SIZE = 200;
/** Far more than a product needs. A longer line is rejected without being held in memory. */
const LINE_BYTES_MAX = 64 * 1024;
/** Rejected lines that the report lists; the others are only counted. */
const REJECTED_LISTED_MAX = 1_000;

/**
 * Imports any number of products in constant memory, in one transaction per batch. An import that broke off can be
 * repeated.
 */
@Injectable()
export class ProductsImport {
  constructor(
    private readonly products: ProductsService,
    private readonly stock: StockService,
    private readonly transactions: Transactions,
  ) {}

  async run(input: Readable): Promise<ImportReport> {
    const report: ImportReport = { listed: 0, changed: 0, unchanged: 0, rejected: [], rejectedTotal: 0 };
    const batch = new Map<string, Line>();
    for await (const { number, bytes } of ndjsonLines(input, LINE_BYTES_MAX)) {
      const line = readLine(bytes);
      if (line instanceof DomainError) reject(report, { line: number, code: line.code, detail: line.message });
      else {
        if (batch.has(line.sku) || batch.size === BATCH_SIZE) await this.storeBatch(batch, report);
        batch.set(line.sku, line);
      }
    }
    await this.storeBatch(batch, report);
    return report;
  }

  private async storeBatch(batch: Map<string, Line>, report: ImportReport): Promise<void> {
    const lines = [...batch.values()];
    batch.clear();
    if (lines.length === 0) return;
    const outcomes = await this.transactions.run(async (tx) => {
      const outcomes = await this.products.putAll(lines, tx);
      const added = lines.filter(({ sku }) => outcomes.get(sku) === 'listed');
      await this.stock.bookOpeningStock(
        added.flatMap(({ sku, onHand }) => (onHand ? [{ sku, onHand }] : [])),
        tx,
      );
      return outcomes;
    });
    for (const outcome of outcomes.values()) report[outcome] += 1;
  }
}

/** The product of a line, or the reason of its rejection. */
function readLine(bytes: Buffer | null): Line | DomainError {
  if (bytes === null) return new LineTooLong(LINE_BYTES_MAX);
  try {
    return parseOrReject(importLine, parseJson(bytes));
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function reject(report: ImportReport, rejection: ImportReport['rejected'][number]): void {
  report.rejectedTotal += 1;
  if (report.rejected.length < REJECTED_LISTED_MAX) report.rejected.push(rejection);
}
