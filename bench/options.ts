import { parseArgs } from 'node:util';

const USAGE = (names: readonly string[]) => `npm run bench -- [NAME …] [options]

  NAME             any of ${names.join(', ')}; default: all
  --rounds N       measurements of each side, alternately A B A B (5); results are medians
  --minutes N      minutes under load for the memory measurement (0.5)
  --json FILE      file for the figures (bench/results.json when all benchmarks run)
`;

/** File for the figures of a complete run. */
const RESULTS = 'bench/results.json';

export interface Options {
  readonly names: readonly string[];
  readonly isWhole: boolean;
  readonly rounds: number;
  readonly minutes: number;
  readonly json: string | undefined;
}

/** @throws {TypeError} with the usage text */
export function readOptions(known: readonly string[]): Options {
  const { values, positionals } = parsed(known);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new TypeError(`There is no benchmark ${unknown.join(', ')}\n\n${USAGE(known)}`);
  const [rounds, minutes] = [Number(values.rounds), Number(values.minutes)];
  if (!Number.isInteger(rounds) || rounds < 1 || !(minutes > 0)) throw new TypeError(USAGE(known));
  const isWhole = positionals.length === 0;
  return {
    names: isWhole ? known : known.filter((name) => positionals.includes(name)),
    isWhole,
    rounds,
    minutes,
    json: values.json ?? (isWhole ? RESULTS : undefined),
  };
}

function parsed(known: readonly string[]) {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '5' },
        minutes: { type: 'string', default: '0.5' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    throw new TypeError(`${(error as Error).message}\n\n${USAGE(known)}`, { cause: error });
  }
}
