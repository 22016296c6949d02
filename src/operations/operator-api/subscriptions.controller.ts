import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { readBacklog } from '../../backbone/delivery/backlog.js';
import { type Subscription, Subscriptions } from '../../backbone/registry/subscriptions.js';
import { Database } from '../../common/database/database.js';
import { ApiExamples, ApiProblems } from '../../common/open-api/api-docs.js';
import { subscriber } from './deliveries.dto.js';
import { SubscriptionNotFound } from './operations.errors.js';
import { Pauses } from './pauses.js';
import { type ReplayView, replayView, subscriptionReplayBody } from './replay.dto.js';
import { ReplayService } from './replay.js';
import { pauseBody, type SubscriptionView, subscriptionList, subscriptionView } from './subscriptions.dto.js';

@ApiTags('Operations')
@Controller('v1/operations/subscriptions')
export class SubscriptionsController {
  constructor(
    private readonly registry: Subscriptions,
    private readonly database: Database,
    private readonly pauses: Pauses,
    private readonly replay: ReplayService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Read the contracts of all subscribers, and what each has pending and dead' })
  @ApiOkResponse({ description: 'Every subscriber', standardSchema: subscriptionList })
  async list(): Promise<z.infer<typeof subscriptionList>> {
    return { items: this.registry.all.map(await this.views()) };
  }

  @Post(':name/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause a subscriber',
    description:
      'Its deliveries wait, in every process, and no attempt is counted; what is being handled still ends. What a plain reaction does within the transactions of its events goes on.',
  })
  @ApiExamples({ 'A mail server that is away': { reason: 'The mail server moves until noon' } })
  @ApiOkResponse({ description: 'The paused subscriber', standardSchema: subscriptionView })
  @ApiProblems({ 404: ['subscription-not-found'] })
  async pause(
    @Param('name', { schema: subscriber }) name: string,
    @Body({ schema: pauseBody }) { reason }: z.output<typeof pauseBody>,
  ): Promise<SubscriptionView> {
    const subscription = this.named(name);
    await this.pauses.pause(subscription.name, reason);
    return (await this.views())(subscription);
  }

  @Post(':name/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a paused subscriber go on' })
  @ApiExamples({ 'A mail server that is back': { reason: 'The mail server has moved' } })
  @ApiOkResponse({ description: 'The subscriber', standardSchema: subscriptionView })
  @ApiProblems({ 404: ['subscription-not-found'] })
  async resume(
    @Param('name', { schema: subscriber }) name: string,
    @Body({ schema: pauseBody }) { reason }: z.output<typeof pauseBody>,
  ): Promise<SubscriptionView> {
    const subscription = this.named(name);
    await this.pauses.resume(subscription.name, reason);
    return (await this.views())(subscription);
  }

  @Post(':name/replay')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Replay the whole log for a subscriber, or preview that',
    description:
      'Every event that it has not heard yet becomes due, in the order of the log, also those from before it was there. What it has done stays done, and so does what ran in the transaction of its event.',
  })
  @ApiExamples({
    'What it has not heard': { preview: true },
    'A new subscriber': { reason: 'It is new and hears of the past' },
  })
  @ApiOkResponse({ description: 'What happened, or would happen', standardSchema: replayView })
  @ApiProblems({ 404: ['subscription-not-found'] })
  replaySubscription(
    @Param('name', { schema: subscriber }) name: string,
    @Body({ schema: subscriptionReplayBody }) order: z.output<typeof subscriptionReplayBody>,
  ): Promise<ReplayView> {
    return this.replay.subscription(this.named(name), order);
  }

  private named(name: string): Subscription {
    const subscription = this.registry.named(name);
    if (!subscription) throw new SubscriptionNotFound(name);
    return subscription;
  }

  /** Shows any of them as they are at this moment. */
  private async views(): Promise<(subscription: Subscription) => SubscriptionView> {
    const subscribers = this.registry.all.map(({ name }) => name);
    const backlogs = await this.database.read('backbone', (manager) => readBacklog(subscribers, manager));
    const backlog = new Map(backlogs.map((each) => [each.subscriber, each]));
    const pauses = await this.pauses.all();
    return (subscription) => {
      const { name, contract, mode, orderingGroup, attempts, backoff, timeoutMs, behindDead, retired, active } =
        subscription;
      const terms = { lane: mode, line: orderingGroup, attempts, backoff, timeoutMs, behindDead, retired };
      const { pending = 0, dead = 0 } = backlog.get(name) ?? {};
      const pause = pauses.get(name);
      const paused = { pausedSince: pause?.since.toISOString() ?? null, pauseReason: pause?.reason ?? null };
      return { name, event: contract.type, ...terms, active, pending, dead, ...paused };
    };
  }
}
