import { z } from 'zod';

export const PROBLEM_JSON = 'application/problem+json';

/** RFC 9457, as every refusal of this API looks. Errors may add members of their own, such as `lines`. */
export const problem = z.looseObject({
  type: z.url().meta({ description: 'Identifies the kind of problem; made from `code`' }),
  title: z.string().meta({ description: 'The kind of problem, for people' }),
  status: z.int(),
  detail: z.string().meta({ description: 'What happened this time, for people' }),
  code: z.string().meta({ description: 'Stable; what programs decide by' }),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  correlationId: z.string().meta({ description: 'Find the request in the logs and the events by it' }),
});

export type Problem = z.infer<typeof problem>;

/**
 * The members that follow from the code. The type is an absolute URI, because a relative one means something else on
 * every host, and under a reserved domain, because it names the problem and is the same for every shop.
 */
export function problemKind(code: string): Pick<Problem, 'type' | 'title' | 'code'> {
  const words = code.replaceAll('-', ' ');
  return {
    type: `https://orderly.example/problems/${code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    code,
  };
}

/** What a caller is told about an error, before it has a form. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A problem document, ready to be written to whatever there is to write to. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Details never replace a standard member. */
export function problemAnswerOf(
  { status, code, detail, details, headers }: Refusal,
  correlationId: string,
): ProblemAnswer {
  const document: Problem = { ...details, ...problemKind(code), status, detail, correlationId };
  return { status, headers: { ...headers, 'content-type': PROBLEM_JSON }, body: JSON.stringify(document) };
}
