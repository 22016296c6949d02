import type { Answer, Call } from './http.js';
import type { Intent } from './load-log.js';
import { toPlace } from './requests.js';
import { type ClientOptions, isBusy, type RetryingClient } from './retrying-client.js';

/** Unusual uses of idempotency keys by clients. */
export class KeyTrials {
  constructor(
    private readonly client: RetryingClient,
    private readonly options: ClientOptions,
  ) {}

  /** Repeats a request that was answered. It must get the first answer again. */
  async repeat(intent: Intent): Promise<void> {
    const request = () => this.client.send(toPlace(intent));
    const answer = await this.client.sendUntil(request, { until: ({ status }) => status === 201 });
    if (answer?.status !== 201) return;
    const { id, status } = JSON.parse(answer.text);
    // If inventory runs in another process, the stored answer may be older than the confirmation.
    const isSame = id === intent.order?.id && (status === intent.order?.status || status === 'placed');
    if (!isSame || !isReplayed(answer))
      this.options.log.contradict(
        `${intent.reference} was repeated, and the answer was ${answer.status}: ${answer.text}`,
      );
  }

  /** Sends another request with a key that was used. */
  async misuse(key: string, other: Call): Promise<void> {
    const request = () => this.client.send(other);
    const answer = await this.client.sendUntil(request, { until: ({ status }) => status === 201 });
    if (answer) this.options.log.misuse({ key, status: answer.status, code: JSON.parse(answer.text).code });
  }

  /** Sends a request twice at the same time, to two processes if possible. It must be done once. */
  async sendTwice(intent: Intent): Promise<void> {
    const { log, random } = this.options;
    const [first, second = first] = random.shuffled(this.client.serving('/v1/orders'));
    if (!first || !second) return;
    const answers = await Promise.all([first, second].map((app) => this.client.sendTo(app, toPlace(intent))));
    for (const answer of answers) if (!answer || answer.status >= 500) log.unknown(intent);
    const given = answers.filter((answer) => answer !== undefined);
    const placed = given.filter(({ status }) => status === 201);
    const isWrong =
      given.some((answer) => !isBusy(answer) && ![0, 201, 503].includes(answer.status)) ||
      new Set(placed.map(({ text }) => JSON.parse(text).id)).size > 1 ||
      placed.filter((answer) => !isReplayed(answer)).length > 1;
    const received = given.map(({ status, text }) => `${status}: ${text.slice(0, 200)}`).join(' and ');
    if (isWrong)
      log.contradict(`${intent.reference} was sent twice at the same time, and the answers were ${received}`);
  }
}

function isReplayed({ headers }: Answer): boolean {
  return headers['idempotent-replayed'] === 'true';
}
