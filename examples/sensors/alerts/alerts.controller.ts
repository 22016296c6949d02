import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Alert } from './alert.entity.js';
import { alertView } from './alerts.dto.js';
import { AlertsService } from './alerts.service.js';

@ApiTags('Alerts')
@Controller('v1/alerts')
export class AlertsController {
  constructor(private readonly alerts: AlertsService) {}

  @Get()
  @ApiOperation({ summary: 'List the newest 100 alerts' })
  @ApiOkResponse({ description: 'Newest first', standardSchema: alertView.array() })
  list(): Promise<Alert[]> {
    return this.alerts.newest(100);
  }
}
