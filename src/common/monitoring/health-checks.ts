import { Injectable, Logger } from '@nestjs/common';
import { currentContext, runInContext } from '../context/context.js';
import { logOccasionally } from '../logging/log-occasionally.js';
import { withTimeout } from '../timing/with-timeout.js';

const CHECK_TIMEOUT_MS = 2_000;

/** Thrown by a check to publish a reason; the text of any other error stays in the log. */
export class Unhealthy extends Error {
  override readonly name = 'Unhealthy';
}

/** A failed check of something without which the process can still serve requests. */
export class Degraded extends Unhealthy {}

export interface Readiness {
  readonly status: 'ok' | 'degraded' | 'failing' | 'stopping';
  readonly checks: { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

interface Result {
  readonly name: string;
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly detail: string;
}

type Check = () => Promise<string | void>;

/** Decides whether this process should receive requests. Each room adds checks for what it depends on. */
@Injectable()
export class HealthChecks {
  private readonly logger = new Logger('Health');
  private readonly checks = new Map<string, Check>();
  private isStopping = false;

  /** The check returns a detail to publish, or throws: `Unhealthy` with a reason, or any other error. */
  add(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** Reports the process as not ready, so that it receives no new requests while it finishes the running ones. */
  markStopping(): void {
    this.isStopping = true;
  }

  async run(): Promise<Readiness> {
    const results = await Promise.all([...this.checks].map(([name, check]) => this.runOne(name, check)));
    const status = this.isStopping ? 'stopping' : worstOf(results.map(({ status }) => status));
    return { status, checks: results.map(({ name, status, detail }) => ({ name, ok: status === 'ok', detail })) };
  }

  private async runOne(name: string, check: Check): Promise<Result> {
    try {
      const detail = await withTimeout(CHECK_TIMEOUT_MS, outsideRequests(check), refuseTimeout);
      return { name, status: 'ok', detail: detail ?? '' };
    } catch (error) {
      logOccasionally(this.logger, 'warn', { message: `The health check ${name} failed`, check: name, err: error });
      const status = error instanceof Degraded ? 'degraded' : 'failing';
      return { name, status, detail: error instanceof Unhealthy ? error.message : 'failed; the log has the reason' };
    }
  }
}

function worstOf(statuses: readonly Result['status'][]): Result['status'] {
  return (['failing', 'degraded'] as const).find((each) => statuses.includes(each)) ?? 'ok';
}

function refuseTimeout(): never {
  throw new Unhealthy(`no answer within ${CHECK_TIMEOUT_MS} ms`);
}

/** Requests have a limited number of connections, and a check needs one also while all of those are in use. */
async function outsideRequests(check: Check): Promise<string | void> {
  const context = currentContext();
  return context ? runInContext({ ...context, actor: 'health' }, check) : check();
}
