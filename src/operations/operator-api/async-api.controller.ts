import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { EventContracts } from '../../backbone/registry/event-contracts.js';
import { Subscriptions } from '../../backbone/registry/subscriptions.js';
import { createAsyncApi } from '../../backbone/schemas/async-api.js';
import type { JsonSchema } from '../../backbone/schemas/event-schema.js';

const asyncApi = z
  .looseObject({ asyncapi: z.string() })
  .meta({ id: 'AsyncApi', description: 'https://www.asyncapi.com/docs/reference/specification/v3.0.0' });

@ApiTags('Operations')
@Controller()
export class AsyncApiController {
  private readonly document: JsonSchema;

  constructor(contracts: EventContracts, subscriptions: Subscriptions) {
    this.document = createAsyncApi(contracts, subscriptions);
  }

  @Get('asyncapi.json')
  @ApiOperation({ summary: 'Read the events of all modules and their subscribers as AsyncAPI 3.0' })
  @ApiOkResponse({ description: 'The AsyncAPI document', standardSchema: asyncApi })
  read(): JsonSchema {
    return this.document;
  }
}
