import type { Death } from './lives.js';
import type { Fortune } from './luck.js';
import { SALE_ATTEMPTS } from './sales.module.js';
import type { Picture } from './sight.js';

type State = 'pending' | 'done' | 'dead' | 'skipped';

/** What one delivery has come to. */
export interface ModelDelivery {
  readonly name: string;
  readonly subscriber: string;
  readonly about: string;
  /** A mail, or a later reaction. */
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

/** What the subscribers of the shop owe the world, and what they have done about it. */
export class ModelDeliveries {
  /** In the order in which they were owed. */
  readonly all: ModelDelivery[] = [];
  readonly paused = new Set<string>();
  private readonly messages = new Map<string, Message>();
  private readonly mails = new Map<string, number>();
  private readonly sales = new Map<string, string>();

  owe(method: string, about: string): void {
    const isMail = method.startsWith('email');
    const subscriber = `${isMail ? 'notifications' : 'sales'}.${method}`;
    const number = this.all.filter((each) => each.subscriber === subscriber && each.about === about).length + 1;
    const fresh = { state: 'pending', attempts: 0, claims: 0, isLeased: false, isReleased: false } as const;
    this.all.push({ name: `${method} ${about} ${number}`, subscriber, about, isMail, ...fresh });
  }

  named(name: string): ModelDelivery {
    const found = this.all.find((each) => each.name === name);
    if (!found) throw new Error(`The model knows no delivery ${name}`);
    return found;
  }

  /** Whether a job of so many claims is let through now: the claim of the backbone, in a sentence. */
  mayRun(delivery: ModelDelivery, claims = delivery.claims): boolean {
    const { state, isLeased, subscriber } = delivery;
    const isFree = state === 'pending' && !isLeased && claims === delivery.claims && !this.paused.has(subscriber);
    return isFree && !this.isBehind(delivery);
  }

  /** Whether its handler would get to work. */
  mayStall(delivery: ModelDelivery): boolean {
    const isHandled = delivery.isMail ? !this.isSent(delivery) : delivery.attempts < SALE_ATTEMPTS;
    return this.mayRun(delivery) && isHandled;
  }

  /** One that may run, runs. */
  run(delivery: ModelDelivery, fortune: Fortune, death?: Death): void {
    this.claim(delivery);
    if (death === 'after-claim') return;
    const isGivenUp = !delivery.isMail && delivery.attempts > SALE_ATTEMPTS;
    const outcome = isGivenUp ? 'is hopeless' : this.handle(delivery, fortune, death);
    if (outcome === 'died') return;
    delivery.isLeased = false;
    if (outcome === 'well') delivery.state = 'done';
    const isLast = !delivery.isMail && delivery.attempts >= SALE_ATTEMPTS;
    if (outcome === 'is hopeless' || (outcome === 'fails' && isLast)) delivery.state = 'dead';
  }

  /**
   * One that stalls until its lease has ended and another one has had its turn: what it did to its own rows is undone.
   */
  runStalled(delivery: ModelDelivery, fortune: Fortune): void {
    this.claim(delivery);
    if (delivery.isMail) this.begin(delivery);
    delivery.isLeased = false;
    this.run(delivery, fortune);
    if (delivery.isMail) this.send(delivery);
  }

  leasesEnd(): void {
    for (const each of this.all) each.isLeased = false;
  }

  skip(delivery: ModelDelivery): number {
    if (delivery.state === 'done' || delivery.isLeased) return 409;
    delivery.state = 'skipped';
    return 200;
  }

  /** Lets others pass what is dead of the same subscriber about the same thing. */
  release({ subscriber, about }: ModelDelivery): number {
    const holding = this.all.filter(
      (each) => each.subscriber === subscriber && each.about === about && each.state === 'dead' && !each.isReleased,
    );
    for (const each of holding) each.isReleased = true;
    return holding.length > 0 ? 200 : 409;
  }

  /** Those that a replay would run. */
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

  picture(): Pick<Picture, 'deliveries' | 'messages' | 'mails' | 'sales'> {
    return {
      deliveries: Object.fromEntries(this.all.map((each) => [each.name, wordsFor(each)])),
      messages: Object.fromEntries(
        [...this.messages].map(([name, { state, attempts }]) => [name, `${state}, ${attempts} attempts`]),
      ),
      mails: Object.fromEntries(this.mails),
      sales: Object.fromEntries(this.sales),
    };
  }

  /** Mails let others pass a dead one; later reactions hold them up until somebody releases it. */
  private isBehind(delivery: ModelDelivery): boolean {
    const { isMail, about } = delivery;
    return this.all
      .slice(0, this.all.indexOf(delivery))
      .filter((each) => each.isMail === isMail && each.about === about)
      .some(({ state, isReleased }) => state === 'pending' || (state === 'dead' && !isMail && !isReleased));
  }

  private claim(delivery: ModelDelivery): void {
    Object.assign(delivery, { isLeased: true, attempts: delivery.attempts + 1, claims: delivery.claims + 1 });
  }

  private handle(delivery: ModelDelivery, fortune: Fortune, death?: Death): Fortune | 'died' {
    if (delivery.isMail) return this.mail(delivery, fortune, death);
    if (fortune !== 'well') return fortune;
    if (death === 'after-handler') return 'died';
    const { about, subscriber } = delivery;
    const heard = subscriber === 'sales.countSale' ? 'sold' : 'taken back';
    this.sales.set(about, [this.sales.get(about), heard].filter(Boolean).join(', '));
    return 'well';
  }

  private mail(delivery: ModelDelivery, fortune: Fortune, death?: Death): Fortune | 'died' {
    const message = this.isSent(delivery) ? undefined : this.begin(delivery);
    if (message && fortune !== 'well') {
      message.state = fortune === 'is hopeless' ? 'failed' : 'pending';
      return fortune;
    }
    if (message) this.send(delivery);
    if (message && death === 'mail-is-out') message.state = 'pending';
    return (message && death === 'mail-is-out') || death === 'after-handler' ? 'died' : 'well';
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
