import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scheduler } from 'fast-check';
import type { Client } from 'pg';
import { Life } from './lives.js';
import type { ModelShop } from './shop.js';

/** The end of what a schedule shows of a statement. */
const SHOWN = 60;

interface Actor {
  readonly name: string;
  /** Of the connection that it used last. */
  pid: number | undefined;
  /** At the boundary, with a statement in hand; or through with everything. */
  isIdle: boolean;
}

/**
 * Lets several processes work at once, one statement after the other, in an order that fast-check chooses. Whoever
 * waits for a lock of another one is passed over until it has it, so that nobody is held back for ever.
 */
export class Conductor {
  private readonly actors = new Map<string, Actor>();
  private isOver = false;

  constructor(
    private readonly shop: ModelShop,
    private readonly scheduler: Scheduler,
  ) {}

  /** Gives what became of each part. */
  async play<Result>(parts: Readonly<Record<string, () => Promise<Result>>>): Promise<Result[]> {
    this.shop.boundary.turn = (sql, client) => this.turn(sql, client);
    // Also when one of them fails, the others play on to their end: nobody may be left with a lock in hand.
    const playing = Promise.allSettled(Object.entries(parts).map(([name, part]) => this.act(name, part)));
    const ended = playing.finally(() => {
      this.isOver = true;
    });
    try {
      await Promise.all([this.conduct(), ended]);
      return (await playing).map((outcome) => {
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
    return this.shop.as(name, part).finally(() => {
      actor.isIdle = true;
    });
  }

  private async turn(sql: string, client: Client & { readonly processID?: number | null }): Promise<void> {
    const actor = this.actors.get(Life.current?.name ?? '');
    if (!actor) return;
    actor.pid = client.processID ?? undefined;
    actor.isIdle = true;
    const words = sql.trim().split(/\s+/).join(' ').slice(0, SHOWN);
    await this.scheduler.schedule(Promise.resolve(), `${actor.name}: ${words}`);
    actor.isIdle = false;
  }

  private async conduct(): Promise<void> {
    while (!this.isOver) {
      await this.everybodyHasStopped();
      if (this.scheduler.count() > 0) await this.scheduler.waitNext(1);
      await nextTurn();
    }
  }

  /** At the boundary, at the end, or before a lock: then the next choice does not depend on who is faster. */
  private async everybodyHasStopped(): Promise<void> {
    for (;;) {
      const busy = [...this.actors.values()].filter(({ isIdle }) => !isIdle);
      if (busy.length === 0) return;
      const sql = `SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1) AND wait_event_type = 'Lock'`;
      const waiting = await this.shop.sql<{ pid: number }>(sql, [busy.map(({ pid }) => pid ?? 0)]);
      if (busy.every(({ pid, isIdle }) => isIdle || waiting.some((each) => each.pid === pid))) return;
    }
  }
}
