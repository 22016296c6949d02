import type { EntityManager } from 'typeorm';
import type { Sql } from '../database/session.js';
import type { Fact } from './domain-event.js';

/** What commits together: rows changed, facts published, and what other modules do because of them. */
export interface Transaction extends Sql {
  /** For what is not worth a statement of its own. */
  readonly manager: EntityManager;
  /** States a fact. It is true when the transaction commits, and never was when it doesn't. */
  publish(fact: Fact): void;
  /** Has rows sent when everybody has reacted, because until then they may still change. */
  beforeCommit(write: () => void): void;
}
