import type { EntityManager } from 'typeorm';
import type { Fact } from './domain-event.js';

/** What commits together: rows changed through the manager, facts published, and what other modules do because of them. */
export interface Transaction {
  readonly manager: EntityManager;
  /** States a fact. It is true when the transaction commits, and never was when it doesn't. */
  publish(fact: Fact): void;
}
