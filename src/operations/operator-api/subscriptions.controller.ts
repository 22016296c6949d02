import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { countUnfinished } from '../../backbone/delivery/backlog.js';
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
  @ApiOperation({ summary: 'List the subscribers with their pending and dead deliveries' })
  @ApiOkResponse({ description: 'All subscribers', standardSchema: subscriptionList })
  async list(): Promise<z.infer<typeof subscriptionList>> {
    return { items: this.registry.all.map(await this.views()) };
  }

  @Post(':name/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause a subscriber',
    description:
      'Its deliveries wait in all processes, and no attempt is counted. A running handler still finishes. Plain reactions still run in the transactions that publish their events.',
  })
  @ApiExamples({ 'Maintenance of the mail server': { reason: 'The mail server moves until noon' } })
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
  @ApiOperation({ summary: 'Resume a paused subscriber' })
  @ApiExamples({ 'End of the maintenance': { reason: 'The mail server has moved' } })
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
    summary: 'Replay the whole log for a subscriber',
    description:
      'Makes a delivery due for each event of its type that it has not handled, in the sequence of the log, including events that are older than the subscriber. Events that it has handled, by a delivery or in the transaction of the event, are not handled again.',
  })
  @ApiExamples({
    Preview: { preview: true },
    'A new subscriber': { reason: 'It is new and shall handle the past events' },
  })
  @ApiOkResponse({ description: 'The outcome, or what it would be', standardSchema: replayView })
  @ApiProblems({ 404: ['subscription-not-found'] })
  replaySubscription(
    @Param('name', { schema: subscriber }) name: string,
    @Body({ schema: subscriptionReplayBody }) options: z.output<typeof subscriptionReplayBody>,
  ): Promise<ReplayView> {
    return this.replay.subscription(this.named(name), options);
  }

  private named(name: string): Subscription {
    const subscription = this.registry.named(name);
    if (!subscription) throw new SubscriptionNotFound(name);
    return subscription;
  }

  /** Reads the counts and the pauses once, and returns the function that makes a view of a subscription from them. */
  private async views(): Promise<(subscription: Subscription) => SubscriptionView> {
    const subscribers = this.registry.all.map(({ name }) => name);
    const counts = await this.database.read('backbone', (manager) => countUnfinished(subscribers, manager));
    const unfinished = new Map(counts.map((each) => [each.subscriber, each]));
    const pauses = await this.pauses.all();
    return (subscription) => {
      const { name, contract, mode, orderingGroup, attempts, backoff, timeoutMs, behindDead, retired, active } =
        subscription;
      const options = { lane: mode, line: orderingGroup, attempts, backoff, timeoutMs, behindDead, retired };
      const { pending = 0, dead = 0 } = unfinished.get(name) ?? {};
      const pause = pauses.get(name);
      const paused = { pausedSince: pause?.since.toISOString() ?? null, pauseReason: pause?.reason ?? null };
      return { name, event: contract.type, ...options, active, pending, dead, ...paused };
    };
  }
}
