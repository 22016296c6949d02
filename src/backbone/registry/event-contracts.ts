import type { EventContract } from '../domain-event.js';

/** Every event that the modules of the shop say. */
export class EventContracts {
  private readonly byType: ReadonlyMap<string, EventContract>;

  constructor(readonly all: readonly EventContract[]) {
    this.byType = new Map(all.map((contract) => [contract.type, contract]));
  }

  named(type: string): EventContract | undefined {
    return this.byType.get(type);
  }
}
