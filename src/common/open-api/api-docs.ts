import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { pageSchema } from '../http/pagination.js';
import { PROBLEM_JSON, problemKind } from '../http/problem.js';

/** Codes of the problems that an operation may answer with, by status: `{ 404: ['order-not-found'] }`. */
export type ProblemCodes = Readonly<Record<number, readonly string[]>>;

/** Documents the problems that are specific to an operation. `serveOpenApi` adds those of every operation. */
export function ApiProblems(codes: ProblemCodes): MethodDecorator {
  return applyDecorators(
    ...Object.entries(codes).map(([status, codes]) =>
      ApiResponse({ status: Number(status), ...problemResponse(Number(status), codes) }),
    ),
  );
}

/** Documents a page of items. */
export function ApiOkPage(item: z.ZodType, description = 'One page, newest first'): MethodDecorator {
  return ApiOkResponse({ description, standardSchema: pageSchema(item) });
}

/** Named request bodies to choose from in Swagger UI. The schema of `@Body` is not changed. */
export function ApiExamples(examples: Readonly<Record<string, unknown>>): MethodDecorator {
  const named = Object.entries(examples).map(([summary, value]) => [summary, { summary, value }]);
  return ApiBody({ schema: {}, examples: Object.fromEntries(named) });
}

/** One response of the document, with an example for each code. */
export function problemResponse(status: number, codes: readonly string[]) {
  const kinds = codes.map(problemKind);
  const examples = kinds.map((kind) => [kind.code, { summary: kind.title, value: exampleOf(kind, status) }]);
  return {
    description: kinds.map(({ title }) => title).join('; '),
    content: {
      [PROBLEM_JSON]: { schema: { $ref: '#/components/schemas/Problem' }, examples: Object.fromEntries(examples) },
    },
  };
}

function exampleOf(kind: ReturnType<typeof problemKind>, status: number) {
  return { ...kind, status, detail: kind.title, correlationId: '0192f3a0-5b1e-7c3d-9f2a-4e6b8d0c1a2b' };
}
