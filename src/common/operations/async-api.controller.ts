import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { createAsyncApi } from '../events/async-api.js';
import { Contracts } from '../events/contracts.js';
import type { JsonSchema } from '../events/event-schema.js';
import { Subscriptions } from '../events/subscriptions.js';

const asyncApi = z
  .looseObject({ asyncapi: z.string() })
  .meta({ id: 'AsyncApi', description: 'https://www.asyncapi.com/docs/reference/specification/v3.0.0' });

@ApiTags('Operations')
@Controller()
export class AsyncApiController {
  private readonly document: JsonSchema;

  constructor(contracts: Contracts, subscriptions: Subscriptions) {
    this.document = createAsyncApi(contracts, subscriptions);
  }

  @Get('asyncapi.json')
  @ApiOperation({ summary: 'Read what the modules say to each other, and who hears it, as AsyncAPI 3.0' })
  @ApiOkResponse({ description: 'The AsyncAPI document', standardSchema: asyncApi })
  read(): JsonSchema {
    return this.document;
  }
}
