import { StartFailure } from '../errors/start-failure.js';

/** The embedded PostgreSQL cannot run. */
export class EmbeddedPostgresFailed extends StartFailure {
  override readonly name = 'EmbeddedPostgresFailed';
}
