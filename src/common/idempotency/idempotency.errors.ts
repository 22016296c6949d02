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
    super(`The Idempotency-Key ${key} came with another request before: give each request a key of its own`);
  }
}

export class RequestStillRunning extends DomainError {
  readonly kind = 'conflict';
  readonly code = 'request-still-running';
  override readonly retryAfterSeconds = 1;

  constructor(key: string) {
    super(`A request with the Idempotency-Key ${key} is being worked on: ask again for its answer`);
  }
}
