import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.js';
import { type Answer, type Call, send } from './http.js';
import type { LoadLog } from './load-log.js';
import type { Random } from './random.js';

/** A client without an answer after this time gives up, and its request counts as unresolved. */
const GIVE_UP_AFTER_MS = 150_000;

export interface ClientOptions {
  readonly apps: readonly App[];
  readonly random: Random;
  readonly log: LoadLog;
}

/** Sends requests to any process that serves the path, and repeats them until there is an answer. */
export class RetryingClient {
  /** No request is repeated after this time, in milliseconds since the epoch. */
  deadline = Number.POSITIVE_INFINITY;

  constructor(private readonly options: ClientOptions) {}

  serving(path: string): App[] {
    return this.options.apps.filter((app) => app.serves(path));
  }

  send(call: Call): Promise<Answer | undefined> {
    return this.sendTo(this.options.random.pick(this.serving(call.path)), call);
  }

  async sendTo(app: App, call: Call): Promise<Answer | undefined> {
    const { log } = this.options;
    const sentAt = Date.now();
    const onBreak = (hasBegun: boolean) => log.broken({ app: app.name, sentAt, brokeAt: Date.now(), hasBegun });
    const answer = await send(app.url, { ...call, onBreak });
    if (answer) this.check(answer);
    return answer;
  }

  /**
   * Repeats a request while there is no answer, or one that asks to retry later. Returns the expected answer, or one
   * that refuses the request permanently; undefined after the deadline.
   */
  async sendUntil(
    request: () => Promise<Answer | undefined>,
    { until, onUnknown }: { until: (answer: Answer) => boolean; onUnknown?: () => void },
  ): Promise<Answer | undefined> {
    const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
    while (Date.now() < Math.min(giveUpAt, this.deadline)) {
      const answer = await request();
      if (answer && (until(answer) || isRefusal(answer))) return answer;
      // A 5xx may follow a successful commit, because the program may have lost the answer of PostgreSQL.
      if (!answer || answer.status >= 500) onUnknown?.();
      await pause(100 + Math.random() * 200);
    }
    return undefined;
  }

  /** Under any fault, the only allowed 5xx answer is a 503 with Retry-After. */
  private check({ status, headers, text }: Answer): void {
    if (status !== 0) this.options.log.answered(status);
    if (status === 500 || (status === 503 && headers['retry-after'] === undefined))
      this.options.log.contradict(`${status}: ${text.slice(0, 300)}`);
  }
}

/** 409 with Retry-After: another request with the same key is in progress. */
export function isBusy({ status, headers }: Answer): boolean {
  return status === 409 && headers['retry-after'] !== undefined;
}

function isRefusal({ status, headers }: Answer): boolean {
  return status >= 400 && status < 500 && headers['retry-after'] === undefined;
}
