import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { HealthChecks, type Readiness } from './health-checks.js';

const liveness = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });

const readiness = z
  .object({
    status: z.enum(['ok', 'degraded', 'failing', 'stopping']),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  })
  .meta({ id: 'Readiness' });

@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthChecks) {}

  @Get('live')
  @ApiOperation({ summary: 'Is the process running?', description: 'Restart it when it does not answer.' })
  @ApiOkResponse({ description: 'The process is running', standardSchema: liveness })
  live(): z.infer<typeof liveness> {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Is the process ready for requests?',
    description: '`degraded`: it is ready, but something fails that it can do without for a while.',
  })
  @ApiOkResponse({ description: 'The process is ready', standardSchema: readiness })
  @ApiResponse({ status: 503, description: 'The process is not ready', standardSchema: readiness })
  async ready(@Res({ passthrough: true }) response: { status(code: number): unknown }): Promise<Readiness> {
    const readiness = await this.health.run();
    if (['failing', 'stopping'].includes(readiness.status)) response.status(503);
    return readiness;
  }
}
