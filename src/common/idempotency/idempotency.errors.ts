import { DomainError } from '../errors/domain-error.js';

export class IdempotencyKeyMalformed extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'idempotency-key-malformed';

  constructor() {
    super('Give one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID');
  }
}

export class IdempotencyKeyReused extends DomainError {
  readonly kind = 'invalid';
  readonly code = 'idempotency-key-reused';

  constructor(key: string) {
    super(`The Idempotency-Key ${key} was used by another request: give each request its own key`);
  }
}

export class RequestStillRunning extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'request-still-running';
  override readonly retryAfterSeconds = 1;

  constructor(key: string) {
    super(`The first request with the Idempotency-Key ${key} is still running: repeat it later to get its answer`);
  }
}
