import type { HandlerOutcome } from './handler-outcomes.js';
import { SALE_ATTEMPTS } from './sales.module.js';
import type { ShopState } from './shop-state.js';
import type { DeathPoint } from './simulated-process.js';

type State = 'pending' | 'done' | 'dead' | 'skipped';

/** The expected state of one delivery. */
export interface ModelDelivery {
  readonly name: string;
  readonly subscriber: string;
  readonly subject: string;
  /** A side effect that sends an e-mail; otherwise a later reaction. */
  readonly isMail: boolean;
  state: State;
  attempts: number;
  claims: number;
  isLeased: boolean;
  isReleased: boolean;
}

interface Message {
  state: 'pending' | 'sent' | 'failed';
  attempts: number;
}

/** The expected state of all deliveries, and of their effects. */
export class ModelDeliveries {
  /** In the sequence of their events. */
  readonly all: ModelDelivery[] = [];
  readonly paused = new Set<string>();
  private readonly messages = new Map<string, Message>();
  private readonly mails = new Map<string, number>();
  private readonly sales = new Map<string, string>();

  add(method: string, subject: string): void {
    const isMail = method.startsWith('email');
    const subscriber = `${isMail ? 'notifications' : 'sales'}.${method}`;
    const number = this.all.filter((each) => each.subscriber === subscriber && each.subject === subject).length + 1;
    const fresh = { state: 'pending', attempts: 0, claims: 0, isLeased: false, isReleased: false } as const;
    this.all.push({ name: `${method} ${subject} ${number}`, subscriber, subject, isMail, ...fresh });
  }

  named(name: string): ModelDelivery {
    const found = this.all.find((each) => each.name === name);
    if (!found) throw new Error(`The model has no delivery ${name}`);
    return found;
  }

  /** Whether the backbone would accept a claim of a job with this number of claims. */
  mayRun(delivery: ModelDelivery, claims = delivery.claims): boolean {
    const { state, isLeased, subscriber } = delivery;
    const isFree = state === 'pending' && !isLeased && claims === delivery.claims && !this.paused.has(subscriber);
    return isFree && !this.isBehind(delivery);
  }

  /** Whether a run would reach the work of the handler, where it can stall. */
  mayStall(delivery: ModelDelivery): boolean {
    const isHandled = delivery.isMail ? !this.isSent(delivery) : delivery.attempts < SALE_ATTEMPTS;
    return this.mayRun(delivery) && isHandled;
  }

  /** Runs a delivery that may run. */
  run(delivery: ModelDelivery, planned: HandlerOutcome, death?: DeathPoint): void {
    this.claim(delivery);
    if (death === 'after-claim') return;
    const isGivenUp = !delivery.isMail && delivery.attempts > SALE_ATTEMPTS;
    const outcome = isGivenUp ? 'gives up' : this.handle(delivery, planned, death);
    if (outcome === 'died') return;
    delivery.isLeased = false;
    if (outcome === 'succeeds') delivery.state = 'done';
    const isLast = !delivery.isMail && delivery.attempts >= SALE_ATTEMPTS;
    if (outcome === 'gives up' || (outcome === 'fails' && isLast)) delivery.state = 'dead';
  }

  /**
   * One that stalls until its lease has ended and another one has had its turn: what it did to its own rows is undone.
   */
  runStalled(delivery: ModelDelivery, outcome: HandlerOutcome): void {
    this.claim(delivery);
    if (delivery.isMail) this.begin(delivery);
    delivery.isLeased = false;
    this.run(delivery, outcome);
    if (delivery.isMail) this.send(delivery);
  }

  expireLeases(): void {
    for (const each of this.all) each.isLeased = false;
  }

  skip(delivery: ModelDelivery): number {
    if (delivery.state === 'done' || delivery.isLeased) return 409;
    delivery.state = 'skipped';
    return 200;
  }

  /** Lets later deliveries pass the dead ones of the same subscriber and subject. */
  release({ subscriber, subject }: ModelDelivery): number {
    const holding = this.all.filter(
      (each) => each.subscriber === subscriber && each.subject === subject && each.state === 'dead' && !each.isReleased,
    );
    for (const each of holding) each.isReleased = true;
    return holding.length > 0 ? 200 : 409;
  }

  /** The deliveries that a replay would run. */
  replayable(deliveries: readonly ModelDelivery[]): ModelDelivery[] {
    return deliveries.filter(
      ({ state, isLeased, subscriber }) => state !== 'done' && !isLeased && !this.paused.has(subscriber),
    );
  }

  replay(deliveries: readonly ModelDelivery[]): void {
    for (const each of this.replayable(deliveries)) {
      const attempts = each.state === 'pending' ? each.attempts : 0;
      Object.assign(each, { state: 'pending', attempts, claims: each.claims + 1, isReleased: false });
    }
  }

  state(): Pick<ShopState, 'deliveries' | 'messages' | 'mails' | 'sales'> {
    return {
      deliveries: Object.fromEntries(this.all.map((each) => [each.name, wordsFor(each)])),
      messages: Object.fromEntries(
        [...this.messages].map(([name, { state, attempts }]) => [name, `${state}, ${attempts} attempts`]),
      ),
      mails: Object.fromEntries(this.mails),
      sales: Object.fromEntries(this.sales),
    };
  }

  /** Behind a dead e-mail, later ones run. A dead later reaction parks its partition until it is released. */
  private isBehind(delivery: ModelDelivery): boolean {
    const { isMail, subject } = delivery;
    return this.all
      .slice(0, this.all.indexOf(delivery))
      .filter((each) => each.isMail === isMail && each.subject === subject)
      .some(({ state, isReleased }) => state === 'pending' || (state === 'dead' && !isMail && !isReleased));
  }

  private claim(delivery: ModelDelivery): void {
    Object.assign(delivery, { isLeased: true, attempts: delivery.attempts + 1, claims: delivery.claims + 1 });
  }

  private handle(delivery: ModelDelivery, outcome: HandlerOutcome, death?: DeathPoint): HandlerOutcome | 'died' {
    if (delivery.isMail) return this.mail(delivery, outcome, death);
    if (outcome !== 'succeeds') return outcome;
    if (death === 'after-handler') return 'died';
    const { subject, subscriber } = delivery;
    const effect = subscriber === 'sales.countSale' ? 'sold' : 'taken back';
    this.sales.set(subject, [this.sales.get(subject), effect].filter(Boolean).join(', '));
    return 'succeeds';
  }

  private mail(delivery: ModelDelivery, outcome: HandlerOutcome, death?: DeathPoint): HandlerOutcome | 'died' {
    const message = this.isSent(delivery) ? undefined : this.begin(delivery);
    if (message && outcome !== 'succeeds') {
      message.state = outcome === 'gives up' ? 'failed' : 'pending';
      return outcome;
    }
    if (message) this.send(delivery);
    if (message && death === 'after-send') message.state = 'pending';
    return (message && death === 'after-send') || death === 'after-handler' ? 'died' : 'succeeds';
  }

  private isSent({ name }: ModelDelivery): boolean {
    return this.messages.get(name)?.state === 'sent';
  }

  private begin({ name }: ModelDelivery): Message {
    const message: Message = { state: 'pending', attempts: (this.messages.get(name)?.attempts ?? 0) + 1 };
    this.messages.set(name, message);
    return message;
  }

  private send({ name }: ModelDelivery): void {
    this.mails.set(name, (this.mails.get(name) ?? 0) + 1);
    Object.assign(this.messages.get(name) ?? {}, { state: 'sent' });
  }
}

function wordsFor({ state, attempts, claims, isLeased, isReleased }: ModelDelivery): string {
  const words = [state, `${attempts} attempts`, `${claims} claims`];
  return [...words, ...(isLeased ? ['leased'] : []), ...(isReleased ? ['released'] : [])].join(', ');
}
