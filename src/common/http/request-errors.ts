import { DomainError } from '../errors/domain-error.js';

export interface FieldError {
  /** The path of the field, e.g. `lines[0].quantity`; empty for the whole body. */
  readonly path: string;
  readonly message: string;
}

/** Fields of the body, the query or the path do not match their schema. */
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

/** The cursor is not one of this list. */
export class CursorInvalid extends DomainError {
  readonly kind = 'malformed';
  readonly code = 'cursor-invalid';

  constructor() {
    super('The cursor is not one of this list: give nextCursor of the previous page, or no cursor for the first page');
  }
}
