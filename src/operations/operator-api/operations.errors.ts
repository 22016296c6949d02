import { DomainError } from '../../common/errors/domain-error.js';

export class DeliveryNotFound extends DomainError {
  readonly kind = 'not-found';
  readonly code = 'delivery-not-found';

  constructor(id: string) {
    super(`There is no delivery ${id}`);
  }
}

export class DeliveryDone extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'delivery-done';

  constructor(id: string) {
    super(`${id} is done and cannot be skipped`);
  }
}

export class DeliveryBeingHandled extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'delivery-being-handled';
  override readonly retryAfterSeconds: number;

  constructor(id: string, leaseUntil: Date) {
    super(`${id} is being handled until ${leaseUntil.toISOString()} at the latest: try again then`);
    this.retryAfterSeconds = Math.max(1, Math.ceil((leaseUntil.getTime() - Date.now()) / 1_000));
  }
}

export class SubscriptionNotFound extends DomainError {
  readonly kind = 'not-found';
  readonly code = 'subscription-not-found';

  constructor(name: string) {
    super(`There is no subscriber ${name}`);
  }
}

export class PartitionNotParked extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'line-not-parked';

  constructor(subscriber: string, subject: string) {
    super(`No dead delivery of ${subscriber} for ${subject} parks its partition`);
  }
}
