import { Injectable, Logger } from '@nestjs/common';
import { currentContext, inContext } from '../events/context.js';
import { logSparingly } from '../logging/rate-limit.js';

const CHECK_TIMEOUT_MS = 2_000;

/** Throw it from a check to tell the world why; the text of any other error stays in the log. */
export class Unhealthy extends Error {
  override readonly name = 'Unhealthy';
}

/** The same, where the process can serve requests nevertheless. */
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

/** Whether this process should get requests. Each part of the program adds what it depends on. */
@Injectable()
export class HealthChecks {
  private readonly logger = new Logger('Health');
  private readonly checks = new Map<string, Check>();
  private isStopping = false;

  /** The check returns a detail worth showing, or throws: `Unhealthy` with a reason, or anything else. */
  add(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** From here on the process is not ready, so that nobody sends it new requests while it finishes the old ones. */
  stopping(): void {
    this.isStopping = true;
  }

  async run(): Promise<Readiness> {
    const results = await Promise.all([...this.checks].map(([name, check]) => this.runOne(name, check)));
    const status = this.isStopping ? 'stopping' : worstOf(results.map(({ status }) => status));
    return { status, checks: results.map(({ name, status, detail }) => ({ name, ok: status === 'ok', detail })) };
  }

  private async runOne(name: string, check: Check): Promise<Result> {
    try {
      return { name, status: 'ok', detail: (await inTime(() => asNoRequest(check))) ?? '' };
    } catch (error) {
      logSparingly(`health:${name}`, 30_000, (suppressed) => this.logger.warn(error, { check: name, suppressed }));
      const status = error instanceof Degraded ? 'degraded' : 'failing';
      return { name, status, detail: error instanceof Unhealthy ? error.message : 'failed; the log tells why' };
    }
  }
}

function worstOf(statuses: readonly Result['status'][]): Result['status'] {
  return (['failing', 'degraded'] as const).find((each) => statuses.includes(each)) ?? 'ok';
}

async function inTime(check: Check): Promise<string | void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unhealthy(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether there is a way to the database must be found out also when requests stand in line for it. */
function asNoRequest<Answer>(check: () => Answer): Answer {
  const around = currentContext();
  return around ? inContext({ ...around, actor: 'health' }, check) : check();
}
