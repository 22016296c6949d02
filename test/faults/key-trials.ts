import { type Asking, type AskingOptions, isBusy } from './asking.js';
import type { Answer, Call } from './http.js';
import type { Intent } from './load-log.js';
import { toPlace } from './requests.js';

/** What clients do with a key besides using it once. */
export class KeyTrials {
  constructor(
    private readonly asking: Asking,
    private readonly options: AskingOptions,
  ) {}

  /** Sends what was answered already: the first answer comes again. */
  async repeat(intent: Intent): Promise<void> {
    const ask = () => this.asking.ask(toPlace(intent));
    const answer = await this.asking.insist(ask, { until: ({ status }) => status === 201 });
    if (answer?.status !== 201) return;
    const { id, status } = JSON.parse(answer.text);
    // Where stock is kept elsewhere the stored answer is from before the order was settled.
    const isSame = id === intent.order?.id && (status === intent.order?.status || status === 'placed');
    if (!isSame || !isReplayed(answer))
      this.options.log.contradict(`${intent.reference} was repeated and got ${answer.status}: ${answer.text}`);
  }

  /** Sends another request with a key that has had its answer. */
  async misuse(key: string, other: Call): Promise<void> {
    const ask = () => this.asking.ask(other);
    const answer = await this.asking.insist(ask, { until: ({ status }) => status === 201 });
    if (answer) this.options.log.misuse({ key, status: answer.status, code: JSON.parse(answer.text).code });
  }

  /** Sends a request twice at once, to different processes where there are several: it is done once. */
  async rush(intent: Intent): Promise<void> {
    const { log, random } = this.options;
    const [first, second = first] = random.shuffled(this.asking.serving('/v1/orders'));
    if (!first || !second) return;
    const answers = await Promise.all([first, second].map((app) => this.asking.askOf(app, toPlace(intent))));
    for (const answer of answers) if (!answer || answer.status >= 500) log.unknown(intent);
    const given = answers.filter((answer) => answer !== undefined);
    const placed = given.filter(({ status }) => status === 201);
    const isWrong =
      given.some((answer) => !isBusy(answer) && ![0, 201, 503].includes(answer.status)) ||
      new Set(placed.map(({ text }) => JSON.parse(text).id)).size > 1 ||
      placed.filter((answer) => !isReplayed(answer)).length > 1;
    const told = given.map(({ status, text }) => `${status}: ${text.slice(0, 200)}`).join(' and ');
    if (isWrong) log.contradict(`${intent.reference} was sent twice at once and got ${told}`);
  }
}

function isReplayed({ headers }: Answer): boolean {
  return headers['idempotent-replayed'] === 'true';
}
