import { DomainError } from '../errors/domain-error.js';

export class BacklogTooLarge extends DomainError {
  readonly kind = 'unavailable';
  readonly code = 'backlog-too-large';
  override readonly retryAfterSeconds = 30;

  constructor(max: number) {
    super(`More than ${max} deliveries wait already, so nothing that makes more of them is taken on: try again later`);
  }
}
