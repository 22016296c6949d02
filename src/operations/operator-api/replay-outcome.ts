import { deliveryId } from '../../backbone/delivery.js';
import { type Parked, type ReplayView, SHOWN_MAX, SUPPRESSIONS, type Suppression } from './replay.dto.js';
import type { Candidate } from './replay-candidates.js';

/** Adds up what a replay does, or would do, batch by batch. */
export class ReplayTally {
  private run = 0;
  private sideEffects = 0;
  private readonly ids: string[] = [];
  private readonly suppressed = new Map<Suppression, number>();
  private readonly parked = new Map<string, Parked>();
  private readonly states = new Map<string, number>();

  suppress(reason: Suppression, count = 1): void {
    if (count > 0) this.suppressed.set(reason, (this.suppressed.get(reason) ?? 0) + count);
  }

  add(candidate: Candidate, isSideEffect: boolean): void {
    const state = candidate.state ?? 'missing';
    this.run += 1;
    if (isSideEffect) this.sideEffects += 1;
    if (this.ids.length < SHOWN_MAX) this.ids.push(deliveryId(candidate));
    this.states.set(state, (this.states.get(state) ?? 0) + 1);
  }

  park(parked: Parked): void {
    const waiting = parked.waiting + (this.parked.get(parked.behind)?.waiting ?? 0);
    if (waiting > parked.waiting || this.parked.size < SHOWN_MAX)
      this.parked.set(parked.behind, { ...parked, waiting });
  }

  get considered(): number {
    return [...this.suppressed.values()].reduce((sum, count) => sum + count, this.run);
  }

  /** For the audit. */
  get counts() {
    return { before: Object.fromEntries(this.states), after: { pending: this.run } };
  }

  view(preview: boolean): ReplayView {
    const { considered, run, sideEffects, ids } = this;
    const suppressed = SUPPRESSIONS.map((reason) => ({ reason, count: this.suppressed.get(reason) ?? 0 }));
    const counted = { considered, run, suppressed: suppressed.filter(({ count }) => count > 0) };
    return { preview, ...counted, sideEffects, parked: [...this.parked.values()], ids };
  }
}
