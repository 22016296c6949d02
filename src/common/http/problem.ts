import { z } from 'zod';

export const PROBLEM_JSON = 'application/problem+json';

/** The problem document (RFC 9457) of every error response of this API. Errors may add members, such as `lines`. */
export const problem = z.looseObject({
  type: z.url().meta({ description: 'Identifies the kind of problem; derived from `code`' }),
  title: z.string().meta({ description: 'The kind of problem, for people' }),
  status: z.int(),
  detail: z.string().meta({ description: 'The explanation of this occurrence, for people' }),
  code: z.string().meta({ description: 'Stable; for programs' }),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  correlationId: z.string().meta({ description: 'The logs and the events of this request have the same id' }),
});

export type Problem = z.infer<typeof problem>;

/**
 * The members that are derived from the code. The type is an absolute URI, because a relative one would differ between
 * hosts, and in a reserved domain, because it is only an identifier and the same for every shop.
 */
export function problemKind(code: string): Pick<Problem, 'type' | 'title' | 'code'> {
  const words = code.replaceAll('-', ' ');
  return {
    type: `https://orderly.example/problems/${code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    code,
  };
}

/** The published part of an error, from which the problem document is made. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A serialised problem document, for a reply of Fastify, a response of Node or a socket. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes the problem document. `details` cannot replace a standard member. */
export function problemAnswerOf(
  { status, code, detail, details, headers }: Refusal,
  correlationId: string,
): ProblemAnswer {
  const document: Problem = { ...details, ...problemKind(code), status, detail, correlationId };
  return { status, headers: { ...headers, 'content-type': PROBLEM_JSON }, body: JSON.stringify(document) };
}
