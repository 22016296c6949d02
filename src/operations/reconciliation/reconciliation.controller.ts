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

/** A small shop is through sooner; a large one goes on after the answer. */
const WAIT_MS = 15_000;

@ApiTags('Operations')
@Controller('v1/operations/reconciliation')
export class ReconciliationController {
  constructor(
    private readonly reports: Reports,
    private readonly schedule: ReconciliationSchedule,
    private readonly repair: RepairService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'See whether orders, stock, deliveries and messages agree',
    description: 'What the checks found when they were made last, by this process or another one.',
  })
  @ApiOkResponse({ description: 'The last findings', standardSchema: reconciliationView })
  async read(): Promise<ReconciliationView> {
    return viewOf(await this.reports.last());
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Look now whether everything agrees',
    description:
      'Makes the checks of the modules in this process, over all rows and the whole log. What another process is making is left to it.',
  })
  @ApiOkResponse({ description: 'What was found', standardSchema: reconciliationView })
  @ApiAcceptedResponse({ description: 'It goes on; ask again', standardSchema: reconciliationView })
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
    summary: 'Mend what was found, where that is safe, or preview that',
    description:
      'Has deliveries run that are missing, or whose effect is. Looks at every finding again before, and leaves alone what agrees by now. The answer to a preview is what the same request without it would do.',
  })
  @ApiExamples({
    'What would be mended': { preview: true },
    'Messages that were lost': {
      check: 'notifications.outcomes-are-told-once',
      reason: 'Their rows were deleted by mistake',
      preview: false,
    },
  })
  @ApiOkResponse({ description: 'What happened, or would happen', standardSchema: repairView })
  mend(@Body({ schema: repairBody }) body: z.output<typeof repairBody>): Promise<RepairView> {
    return this.repair.mend(body);
  }
}

function viewOf(reports: readonly Report[]): ReconciliationView {
  const findings = reports.flatMap((report) => report.findings);
  const ends = reports.map(({ finishedAt }) => finishedAt?.getTime() ?? 0);
  const oldest = Math.min(...ends);
  return {
    running: reports.some(({ isRunning }) => isRunning),
    finishedAt: oldest > 0 && Number.isFinite(oldest) ? new Date(oldest).toISOString() : null,
    found: findings.length,
    failed: reports.filter(({ error }) => error !== null).length,
    repairable: findings.filter(({ delivery }) => delivery).length,
    checks: reports.map(checkOf),
  };
}

function checkOf({
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
