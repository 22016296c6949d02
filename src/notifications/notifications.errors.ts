import { DomainError } from '../common/errors/domain-error.js';

export class MailNotFound extends DomainError {
  readonly kind = 'not-found';
  readonly code = 'mail-not-found';

  constructor(id: string) {
    super(`There is no mail ${id} in the mailbox`);
  }
}
