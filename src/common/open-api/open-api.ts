import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OperationObject, PathItemObject, SchemaObject } from '@nestjs/swagger';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEM_JSON, problem } from '../http/problem.js';
import { IDEMPOTENCY_HEADER } from '../idempotency/idempotent.js';
import { type ProblemCodes, problemResponse } from './api-docs.js';

const EVERYWHERE: ProblemCodes = {
  400: ['request-invalid', 'request-malformed'],
  500: ['internal-error'],
  503: ['database-unavailable', 'storage-full', 'overloaded'],
};
const WITH_A_BODY: ProblemCodes = {
  ...EVERYWHERE,
  400: ['request-invalid', 'json-malformed', 'body-missing', 'request-malformed'],
  413: ['body-too-large'],
  415: ['media-type-unsupported'],
};

const WITH_A_KEY: ProblemCodes = {
  400: ['idempotency-key-malformed'],
  409: ['request-still-running'],
  422: ['idempotency-key-reused'],
};

const OPERATORS_TAGS = ['Operations', 'Health'];

/** Ids for operations to be tried on as they stand, by path: `/v1/orders/{id}`. Read when the document is first asked for. */
type PathExamples = ReadonlyMap<string, string>;

/** What the document says about the program. */
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
      // Null: the document is not sent to a validator on the internet.
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
  // Said openly: whoever reaches this API may use it, so it belongs behind something that knows its users.
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

/** What the shop offers comes first, what its operators need last. */
function tagsOf({ paths }: OpenAPIObject): { name: string }[] {
  const tags = new Set(
    Object.values(paths).flatMap((path) => operationsOf(path).flatMap((operation) => operation.tags ?? [])),
  );
  const shop = [...tags].filter((tag) => !OPERATORS_TAGS.includes(tag)).toSorted();
  return [...shop, ...OPERATORS_TAGS].map((name) => ({ name }));
}

function addCommonProblems(operation: OperationObject): void {
  addProblems(operation, operation.requestBody ? WITH_A_BODY : EVERYWHERE);
  const isKeyed = operation.parameters?.some((each) => 'name' in each && each.name === IDEMPOTENCY_HEADER);
  if (isKeyed) addProblems(operation, WITH_A_KEY);
}

/** Adds to what an operation documents of its own. */
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
