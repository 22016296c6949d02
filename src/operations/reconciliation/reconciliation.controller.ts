import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { deliveryId } from '../../backbone/delivery.js';
import { ApiExamples } from '../../common/open-api/api-docs.js';
import { withTimeout } from '../../common/timing/with-timeout.js';
import {
  type ReconciliationView,
  type RepairView,
  reconciliationView,
  repairBody,
  repairView,
  SHOWN_MAX,
} from './reconciliation.dto.js';
import { ReconciliationSchedule } from './reconciliation-schedule.js';
import { RepairService } from './repair.js';
import { type Report, Reports } from './reports.js';

/** The response comes after this time at the latest; a longer run continues after it. */
const WAIT_MS = 15_000;

@ApiTags('Operations')
@Controller('v1/operations/reconciliation')
export class ReconciliationController {
  constructor(
    private readonly reports: Reports,
    private readonly schedule: ReconciliationSchedule,
    private readonly repairs: RepairService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Show the findings of the last reconciliation',
    description: 'The result of the last run of every check, in this process or another one.',
  })
  @ApiOkResponse({ description: 'The last findings', standardSchema: reconciliationView })
  async read(): Promise<ReconciliationView> {
    return reconciliationViewOf(await this.reports.last());
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Run the reconciliation',
    description:
      'Runs the checks of the modules in this process over all rows and the whole log, except checks that another process is running.',
  })
  @ApiOkResponse({ description: 'The findings', standardSchema: reconciliationView })
  @ApiAcceptedResponse({
    description: 'The run continues; read the findings later',
    standardSchema: reconciliationView,
  })
  async run(@Res({ passthrough: true }) response: { status(code: number): unknown }): Promise<ReconciliationView> {
    const running = this.schedule.now();
    await withTimeout(WAIT_MS, running, () => undefined);
    const view = await this.read();
    if (view.running) response.status(202);
    return view;
  }

  @Post('repair')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Repair findings where that is safe',
    description:
      'Makes deliveries due that are missing, or whose effect is missing. Checks every finding again before, and leaves out those that do not exist any more. A preview returns what the same request without `preview` would do, and changes nothing.',
  })
  @ApiExamples({
    Preview: { preview: true },
    'Lost messages': {
      check: 'notifications.outcomes-are-told-once',
      reason: 'Their rows were deleted by mistake',
      preview: false,
    },
  })
  @ApiOkResponse({ description: 'The outcome, or what it would be', standardSchema: repairView })
  repairFindings(@Body({ schema: repairBody }) body: z.output<typeof repairBody>): Promise<RepairView> {
    return this.repairs.repair(body);
  }
}

function reconciliationViewOf(reports: readonly Report[]): ReconciliationView {
  const findings = reports.flatMap((report) => report.findings);
  const ends = reports.map(({ finishedAt }) => finishedAt?.getTime() ?? 0);
  const oldest = Math.min(...ends);
  return {
    running: reports.some(({ isRunning }) => isRunning),
    finishedAt: oldest > 0 && Number.isFinite(oldest) ? new Date(oldest).toISOString() : null,
    found: findings.length,
    failed: reports.filter(({ error }) => error !== null).length,
    repairable: findings.filter(({ delivery }) => delivery).length,
    checks: reports.map(checkViewOf),
  };
}

function checkViewOf({
  isRunning,
  startedAt,
  finishedAt,
  findings,
  ...report
}: Report): ReconciliationView['checks'][number] {
  return {
    ...report,
    running: isRunning,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    found: findings.length,
    findings: findings.slice(0, SHOWN_MAX).map(({ subject, expected, found, delivery }) => {
      return { subject, expected, found, delivery: delivery ? deliveryId(delivery) : null };
    }),
  };
}
