import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { CONTENT_TYPE } from '../metrics/metrics-registry.js';
import { Metrics } from './metrics.js';

@ApiTags('Health')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('content-type', CONTENT_TYPE)
  @ApiOperation({
    summary: 'Read the metrics for Prometheus',
    description: 'Answers during a database outage as well, without the metrics that are read from rows.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'Metrics in the text format of Prometheus', schema: { type: 'string' } })
  read(): Promise<string> {
    return this.metrics.text();
  }
}
