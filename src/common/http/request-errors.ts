import { DomainError } from '../errors/domain-error.js';

export interface FieldError {
  /** Where in the request, e.g. `lines[0].quantity`; empty for the whole of it. */
  readonly path: string;
  readonly message: string;
}

/** Fields of the body, the query or the path do not fit their schema. */
export class RequestInvalid extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'request-invalid';
  override readonly details: { readonly errors: readonly FieldError[] };

  constructor(errors: readonly FieldError[]) {
    const [first, ...others] = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message));
    super(others.length > 0 ? `${first} (and ${others.length} more)` : first);
    this.details = { errors };
  }
}

export class JsonMalformed extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'json-malformed';
}

export class BodyMissing extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'body-missing';

  constructor() {
    super('This request needs a body');
  }
}

/** The cursor was not made by the list that it is given to. */
export class CursorInvalid extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'cursor-invalid';

  constructor() {
    super('This is no cursor of this list: give nextCursor of the page before, unchanged, or none for the first page');
  }
}
