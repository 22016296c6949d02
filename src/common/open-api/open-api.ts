import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OperationObject, PathItemObject, SchemaObject } from '@nestjs/swagger';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEM_JSON, problem } from '../http/problem.js';
import { IDEMPOTENCY_HEADER } from '../idempotency/idempotent.js';
import { type ProblemCodes, problemResponse } from './api-docs.js';

const COMMON_PROBLEMS: ProblemCodes = {
  400: ['request-invalid', 'request-malformed'],
  500: ['internal-error'],
  503: ['database-unavailable', 'storage-full', 'overloaded'],
};
const COMMON_PROBLEMS_WITH_BODY: ProblemCodes = {
  ...COMMON_PROBLEMS,
  400: ['request-invalid', 'json-malformed', 'body-missing', 'request-malformed'],
  413: ['body-too-large'],
  415: ['media-type-unsupported'],
};

const PROBLEMS_WITH_KEY: ProblemCodes = {
  400: ['idempotency-key-malformed'],
  409: ['request-still-running'],
  422: ['idempotency-key-reused'],
};

const OPERATOR_TAGS = ['Operations', 'Health'];

/** Example ids for Swagger UI by path, e.g. `/v1/orders/{id}`. Read when the document is first requested. */
type PathExamples = ReadonlyMap<string, string>;

/** The program's own part of the document. */
export interface ApiInfo {
  readonly title: string;
  readonly description: string;
  readonly examples?: PathExamples;
}

/** Serves the OpenAPI document at /docs/openapi.json and Swagger UI at /docs, both from this process alone. */
export function serveOpenApi(app: NestFastifyApplication, info: ApiInfo): void {
  SwaggerModule.setup('docs', app, () => withExamples(createOpenApi(app, info), info.examples ?? new Map()), {
    raw: ['json'],
    jsonDocumentUrl: 'docs/openapi.json',
    customSiteTitle: `${info.title} API`,
    swaggerOptions: {
      tryItOutEnabled: true,
      displayRequestDuration: true,
      // Otherwise Swagger UI would send the document to a validator on the internet.
      validatorUrl: null,
    },
  });
}

/**
 * The document, made from the zod schemas that check the requests. Nest converts them to OpenAPI 3.0 and no other.
 * @public `npm run check` lints it
 */
export function createOpenApi(app: NestFastifyApplication, { title, description }: ApiInfo): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle(title)
    .setDescription(description)
    .setVersion('1')
    .addServer('/')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  document.tags = tagsOf(document);
  // Documents that requests are not authenticated: the API must be behind a proxy that authenticates its users.
  document.security = [];
  const Problem = z.toJSONSchema(problem, { target: 'openapi-3.0' }) as SchemaObject;
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem } };
  for (const path of Object.values(document.paths))
    for (const operation of operationsOf(path)) addCommonProblems(operation);
  return document;
}

function withExamples(document: OpenAPIObject, examples: PathExamples): OpenAPIObject {
  for (const [path, example] of examples)
    for (const operation of operationsOf(document.paths[path] ?? {}))
      for (const parameter of operation.parameters ?? [])
        if ('in' in parameter && parameter.in === 'path') parameter.example = example;
  return document;
}

/** Tags in alphabetical sequence, with those for operators at the end. */
function tagsOf({ paths }: OpenAPIObject): { name: string }[] {
  const tags = new Set(
    Object.values(paths).flatMap((path) => operationsOf(path).flatMap((operation) => operation.tags ?? [])),
  );
  const others = [...tags].filter((tag) => !OPERATOR_TAGS.includes(tag)).toSorted();
  return [...others, ...OPERATOR_TAGS.filter((tag) => tags.has(tag))].map((name) => ({ name }));
}

function addCommonProblems(operation: OperationObject): void {
  addProblems(operation, operation.requestBody ? COMMON_PROBLEMS_WITH_BODY : COMMON_PROBLEMS);
  const isKeyed = operation.parameters?.some((each) => 'name' in each && each.name === IDEMPOTENCY_HEADER);
  if (isKeyed) addProblems(operation, PROBLEMS_WITH_KEY);
}

/** Adds problems to those that the operation itself documents. */
function addProblems({ responses }: OperationObject, problems: ProblemCodes): void {
  for (const [status, codes] of Object.entries(problems)) {
    const own = responses[status];
    const documented = own && 'content' in own ? own.content?.[PROBLEM_JSON]?.examples : {};
    if (documented) responses[status] = problemResponse(Number(status), [...Object.keys(documented), ...codes]);
  }
}

function operationsOf(path: PathItemObject): OperationObject[] {
  return [path.get, path.put, path.post, path.patch, path.delete].filter((operation) => operation !== undefined);
}
