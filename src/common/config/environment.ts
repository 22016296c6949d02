import { z } from 'zod';
import { StartFailure } from '../errors/start-failure.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration cannot be used. */
export class ConfigInvalid extends StartFailure {
  override readonly name = 'ConfigInvalid';

  constructor(readonly problems: readonly string[]) {
    super(['Cannot start with this configuration:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}

/**
 * Parses the variables of an environment. An empty variable counts as absent.
 * @param productionProblems finds further problems where NODE_ENV is `production`
 * @throws {ConfigInvalid} listing every problem and its remedy
 */
export function parseEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
  productionProblems: (environment: Environment) => readonly string[] = () => [],
): z.output<Schema> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = schema.safeParse(given);
  const problems = [
    ...(parsed.error?.issues.map((issue) => sentenceOf(issue, schema)) ?? []),
    ...(given.NODE_ENV === 'production' ? productionProblems(given) : []),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigInvalid([...new Set(problems)]);
  return parsed.data;
}

function sentenceOf(issue: z.core.$ZodIssue, schema: z.ZodObject): string {
  const name = issue.path.join('.');
  const field = schema.shape[name];
  const description = field instanceof z.ZodType ? field.meta()?.description : undefined;
  return `${name}: ${issue.message}${description ? ` (${description})` : ''}`;
}
