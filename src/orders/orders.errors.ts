import { DomainError } from '../common/errors/domain-error.js';
import type { OrderStatus } from './order-status.js';

export class OrderNotFound extends DomainError {
  readonly kind = 'not-found';
  readonly code = 'order-not-found';

  constructor(id: string) {
    super(`There is no order ${id}.`);
  }
}

export class WrongTransition extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'wrong-transition';

  constructor(id: string, from: OrderStatus, to: OrderStatus) {
    super(`Order ${id} is ${from} and cannot become ${to}.`);
  }
}

export class ProductsNotForSale extends DomainError {
  readonly kind = 'invalid';
  readonly code = 'products-not-for-sale';
  override readonly details: { readonly skus: readonly string[] };

  constructor(skus: readonly string[]) {
    super(`Not for sale: ${skus.join(', ')}.`);
    this.details = { skus };
  }
}

export class MixedCurrencies extends DomainError {
  readonly kind = 'invalid';
  readonly code = 'mixed-currencies';

  constructor(currencies: readonly string[]) {
    super(`An order is paid in one currency; these products have prices in ${currencies.join(' and ')}.`);
  }
}

export class TotalTooLarge extends DomainError {
  readonly kind = 'invalid';
  readonly code = 'total-too-large';

  constructor(max: number) {
    super(`The total of an order is at most ${max} minor units.`);
  }
}
