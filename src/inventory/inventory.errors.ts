import { DomainError } from '../common/errors/domain-error.js';

export class ProductNotFound extends DomainError {
  readonly kind = 'not-found';
  readonly code = 'product-not-found';

  constructor(sku: string) {
    super(`There is no product ${sku}.`);
  }
}

export class StockWouldBeNegative extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'stock-would-be-negative';

  constructor(sku: string, change: number, available: number) {
    super(`${sku} cannot change by ${change}: only ${available} are on hand and not reserved.`);
  }
}

export class LineTooLong extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'line-too-long';

  constructor(bytesMax: number) {
    super(`A line has at most ${bytesMax} bytes.`);
  }
}
