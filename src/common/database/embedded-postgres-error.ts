/** Why the embedded PostgreSQL cannot run, and what to do: shown as it is, without a stack. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}
