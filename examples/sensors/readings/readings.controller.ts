import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Created } from '../../../src/common/http/created.js';
import type { Page } from '../../../src/common/http/pagination.js';
import { Idempotent } from '../../../src/common/idempotency/idempotent.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../../../src/common/open-api/api-docs.js';
import type { Reading } from './reading.entity.js';
import { readingBody, readingQuery, readingView } from './readings.dto.js';
import { ReadingsService } from './readings.service.js';

const created = (reading: Reading) => new Created(null, reading);

@ApiTags('Readings')
@Controller('v1/readings')
export class ReadingsController {
  constructor(private readonly readings: ReadingsService) {}

  @Post()
  @Idempotent(created)
  @ApiOperation({ summary: 'Store a reading of a sensor' })
  @ApiExamples({ Hot: { sensor: 'boiler-1', celsius: 91.5 }, Cool: { sensor: 'boiler-1', celsius: 20 } })
  @ApiCreatedResponse({ description: 'The stored reading', standardSchema: readingView })
  @ApiProblems({ 503: ['backlog-too-large'] })
  async take(@Body({ schema: readingBody }) body: z.output<typeof readingBody>): Promise<Created<Reading>> {
    return created(await this.readings.take(body));
  }

  @Get()
  @ApiOperation({ summary: 'List readings' })
  @ApiOkPage(readingView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  list(@Query({ schema: readingQuery }) query: z.output<typeof readingQuery>): Promise<Page<Reading>> {
    return this.readings.list(query);
  }
}
