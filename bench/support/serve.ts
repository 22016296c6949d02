/** Each with parameters of its own. */
export type Methods = Readonly<Record<string, (...parameters: never[]) => Promise<unknown>>>;

export interface Question {
  readonly method: string;
  readonly parameters: readonly unknown[];
}

export interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/** What this process was told when it was started. */
export function settings(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Runs what it is asked for, one question at a time. */
export function serve(methods: Methods): void {
  const answer = async ({ method, parameters }: Question): Promise<Reply> => {
    try {
      return { result: await methods[method]?.(...(parameters as never[])) };
    } catch (error) {
      return { error: String((error as Error).stack) };
    }
  };
  process.on('message', (question: Question) => void answer(question).then((reply) => process.send?.(reply)));
}
