import { setTimeout as pause } from 'node:timers/promises';
import type { App } from './app.js';
import { type Answer, type Call, send } from './http.js';
import type { LoadLog } from './load-log.js';
import type { Random } from './random.js';

/** Whoever has no answer by then gives up, and counts as unresolved. */
const PATIENCE_MS = 150_000;

export interface AskingOptions {
  readonly apps: readonly App[];
  readonly random: Random;
  readonly log: LoadLog;
}

/** How clients ask: of any process that answers such requests, and again until there is an answer. */
export class Asking {
  /** Nobody asks any more after this, in milliseconds since the epoch. */
  deadline = Number.POSITIVE_INFINITY;

  constructor(private readonly options: AskingOptions) {}

  serving(path: string): App[] {
    return this.options.apps.filter((app) => app.serves(path));
  }

  ask(call: Call): Promise<Answer | undefined> {
    return this.askOf(this.options.random.pick(this.serving(call.path)), call);
  }

  async askOf(app: App, call: Call): Promise<Answer | undefined> {
    const { log } = this.options;
    const sentAt = Date.now();
    const onBreak = (hasBegun: boolean) => log.broken({ app: app.name, sentAt, brokeAt: Date.now(), hasBegun });
    const answer = await send(app.url, { ...call, onBreak });
    if (answer) this.watch(answer);
    return answer;
  }

  /**
   * Repeats a request that got no answer, or one that says "not now". Gives the answer that was waited for, or one that
   * says that it was wrong; undefined when the time is up.
   */
  async insist(
    ask: () => Promise<Answer | undefined>,
    { until, onUnknown }: { until: (answer: Answer) => boolean; onUnknown?: () => void },
  ): Promise<Answer | undefined> {
    const patience = Date.now() + PATIENCE_MS;
    while (Date.now() < Math.min(patience, this.deadline)) {
      const answer = await ask();
      if (answer && (until(answer) || isRefusal(answer))) return answer;
      // A 5xx may come after the commit: whoever lost the answer of PostgreSQL knows no more than we do.
      if (!answer || answer.status >= 500) onUnknown?.();
      await pause(100 + Math.random() * 200);
    }
    return undefined;
  }

  /** Whatever is broken behind it, a shop that cannot serve says when to come again. */
  private watch({ status, headers, text }: Answer): void {
    if (status !== 0) this.options.log.answered(status);
    if (status === 500 || (status === 503 && headers['retry-after'] === undefined))
      this.options.log.contradict(`${status}: ${text.slice(0, 300)}`);
  }
}

/** 409 with Retry-After: the same key is being worked on. */
export function isBusy({ status, headers }: Answer): boolean {
  return status === 409 && headers['retry-after'] !== undefined;
}

function isRefusal({ status, headers }: Answer): boolean {
  return status >= 400 && status < 500 && headers['retry-after'] === undefined;
}
