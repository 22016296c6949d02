import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ApiExamples } from '../../common/open-api/api-docs.js';
import { type ReplayView, replayBody, replayView } from './replay.dto.js';
import { ReplayService } from './replay.js';

@ApiTags('Operations')
@Controller('v1/operations/deliveries')
export class ReplayController {
  constructor(private readonly replay: ReplayService) {}

  @Post('replay')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Replay deliveries, or preview that',
    description:
      'What is dead or skipped is due again with all its attempts, and its history stays; what waits for a pause is due now. What is done stays done. The answer to a preview is what the same request without it would do.',
  })
  @ApiExamples({
    'What would happen to all that is dead': { filter: { state: 'dead' }, preview: true },
    'Mails of an hour, once the mail server is back': {
      filter: {
        state: 'dead',
        subscriber: 'notifications.emailConfirmation',
        after: '2026-11-23T08:00:00Z',
        before: '2026-11-23T09:00:00Z',
      },
      reason: 'The mail server is back',
      preview: false,
    },
  })
  @ApiOkResponse({ description: 'What happened, or would happen', standardSchema: replayView })
  replayDeliveries(@Body({ schema: replayBody }) body: z.output<typeof replayBody>): Promise<ReplayView> {
    const { ids, filter, ...order } = body;
    return this.replay.deliveries({ ...filter, ids }, order);
  }
}
