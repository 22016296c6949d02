/** The methods that a program offers. */
export type Methods = Readonly<Record<string, (...parameters: never[]) => Promise<unknown>>>;

export interface Call {
  readonly method: string;
  readonly parameters: readonly unknown[];
}

export interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/** The settings that this process received when it was started. */
export function settings(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Runs the calls that the parent process sends, and sends back the results. */
export function serve(methods: Methods): void {
  const answer = async ({ method, parameters }: Call): Promise<Reply> => {
    try {
      return { result: await methods[method]?.(...(parameters as never[])) };
    } catch (error) {
      return { error: String((error as Error).stack) };
    }
  };
  process.on('message', (call: Call) => void answer(call).then((reply) => process.send?.(reply)));
}
