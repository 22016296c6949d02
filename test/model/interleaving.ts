import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scheduler } from 'fast-check';
import type { Client } from 'pg';
import type { ModelShop } from './shop.js';
import { SimulatedProcess } from './simulated-process.js';

/** Characters of a statement that a schedule shows. */
const SHOWN = 60;

interface Actor {
  readonly name: string;
  /** PostgreSQL process of the connection that it used last. */
  pid: number | undefined;
  /** Waiting for its turn to send a statement, or finished. */
  isIdle: boolean;
}

/**
 * Runs several simulated processes concurrently, one statement at a time, in a sequence that fast-check chooses. A
 * process that waits for a lock of another one does not delay the others.
 */
export class Interleaving {
  private readonly actors = new Map<string, Actor>();
  private hasEnded = false;

  constructor(
    private readonly shop: ModelShop,
    private readonly scheduler: Scheduler,
  ) {}

  /** Returns the result of each part. */
  async run<Result>(parts: Readonly<Record<string, () => Promise<Result>>>): Promise<Result[]> {
    this.shop.boundary.turn = (sql, client) => this.turn(sql, client);
    // If one part fails, the others still run to their end, so that no lock is left behind.
    const running = Promise.allSettled(Object.entries(parts).map(([name, part]) => this.act(name, part)));
    const ended = running.finally(() => {
      this.hasEnded = true;
    });
    try {
      await Promise.all([this.conduct(), ended]);
      return (await running).map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      });
    } finally {
      this.shop.boundary.turn = async () => undefined;
    }
  }

  private async act<Result>(name: string, part: () => Promise<Result>): Promise<Result> {
    const actor: Actor = { name, pid: undefined, isIdle: false };
    this.actors.set(name, actor);
    return this.shop.runAs(name, part).finally(() => {
      actor.isIdle = true;
    });
  }

  private async turn(sql: string, client: Client & { readonly processID?: number | null }): Promise<void> {
    const actor = this.actors.get(SimulatedProcess.current?.name ?? '');
    if (!actor) return;
    actor.pid = client.processID ?? undefined;
    actor.isIdle = true;
    const words = sql.trim().split(/\s+/).join(' ').slice(0, SHOWN);
    await this.scheduler.schedule(Promise.resolve(), `${actor.name}: ${words}`);
    actor.isIdle = false;
  }

  private async conduct(): Promise<void> {
    while (!this.hasEnded) {
      await this.allActorsWait();
      if (this.scheduler.count() > 0) await this.scheduler.waitNext(1);
      await nextTurn();
    }
  }

  /** Waits until each actor is idle or waits for a lock, so that the next choice does not depend on timing. */
  private async allActorsWait(): Promise<void> {
    for (;;) {
      const busy = [...this.actors.values()].filter(({ isIdle }) => !isIdle);
      if (busy.length === 0) return;
      const sql = `SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1) AND wait_event_type = 'Lock'`;
      const waiting = await this.shop.sql<{ pid: number }>(sql, [busy.map(({ pid }) => pid ?? 0)]);
      if (busy.every(({ pid, isIdle }) => isIdle || waiting.some((each) => each.pid === pid))) return;
    }
  }
}
