import type { EventContract } from '../domain-event.js';

/** The contracts of all events that the modules of the program publish. */
export class EventContracts {
  private readonly byType: ReadonlyMap<string, EventContract>;

  constructor(readonly all: readonly EventContract[]) {
    this.byType = new Map(all.map((contract) => [contract.type, contract]));
  }

  named(type: string): EventContract | undefined {
    return this.byType.get(type);
  }
}
