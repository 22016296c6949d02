import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DeliveryReader } from '../../backbone/delivery/delivery-reader.js';
import { parseDeliveryId } from '../../backbone/delivery.js';
import { text } from '../../common/http/fields.js';
import { decodeCursor, type Page, pageOf } from '../../common/http/pagination.js';
import { ApiExamples, ApiOkPage, ApiProblems } from '../../common/open-api/api-docs.js';
import {
  deadGroupList,
  deadGroupViewOf,
  deliveryQuery,
  deliveryView,
  deliveryViewOf,
  id,
  parkedQuery,
  parkedView,
  parkedViewOf,
  releaseBody,
  releaseView,
  skipBody,
} from './deliveries.dto.js';
import { DeliveryNotFound } from './operations.errors.js';
import { ParkedPartitions, type Release } from './parked-partitions.js';
import { type ReplayView, replayBody, replayView } from './replay.dto.js';
import { ReplayService } from './replay.js';
import { DeliverySkipping } from './skipping.js';

/** Bounds the response: a larger number of groups is of no use to an operator. */
const GROUPS_MAX = 200;

const cursorParts = z.tuple([z.uuid(), text(100)]);

type DeliveryView = z.infer<typeof deliveryView>;

@ApiTags('Operations')
@Controller('v1/operations')
export class DeliveriesController {
  constructor(
    private readonly reader: DeliveryReader,
    private readonly parkedPartitions: ParkedPartitions,
    private readonly skipping: DeliverySkipping,
    private readonly replay: ReplayService,
  ) {}

  @Get('deliveries')
  @ApiOperation({ summary: 'List the deliveries' })
  @ApiOkPage(deliveryView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(@Query({ schema: deliveryQuery }) query: z.output<typeof deliveryQuery>): Promise<Page<DeliveryView>> {
    const { cursor, limit, ...filter } = query;
    const page = pageOf(await this.reader.find(filter, limit + 1, lastOf(cursor)), limit, cursorOf);
    return { ...page, items: page.items.map(deliveryViewOf) };
  }

  @Get('dead')
  @ApiOperation({
    summary: 'List the dead deliveries, grouped by cause',
    description: 'One group for each subscriber and cause, the largest first.',
  })
  @ApiOkResponse({ description: 'The groups', standardSchema: deadGroupList })
  async dead(): Promise<z.infer<typeof deadGroupList>> {
    return { items: (await this.reader.deadGroups(GROUPS_MAX)).map(deadGroupViewOf) };
  }

  @Get('parked')
  @ApiOperation({ summary: 'List the dead deliveries that park their partitions' })
  @ApiOkPage(parkedView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async parked(
    @Query({ schema: parkedQuery }) { cursor, limit }: z.output<typeof parkedQuery>,
  ): Promise<Page<z.infer<typeof parkedView>>> {
    const page = pageOf(await this.parkedPartitions.parked(limit + 1, lastOf(cursor)), limit, cursorOf);
    return { ...page, items: page.items.map(parkedViewOf) };
  }

  @Post('deliveries/:id/skip')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Skip a pending or dead delivery',
    description:
      'It counts as finished, and the next delivery of its partition is dispatched. A replay makes it pending again.',
  })
  @ApiExamples({ 'Done by hand': { reason: 'The customer was informed by phone' } })
  @ApiOkResponse({ description: 'The skipped delivery', standardSchema: deliveryView })
  @ApiProblems({ 404: ['delivery-not-found'], 409: ['delivery-done', 'delivery-being-handled'] })
  async skip(
    @Param('id', { schema: id }) id: string,
    @Body({ schema: skipBody }) { reason }: z.output<typeof skipBody>,
  ): Promise<DeliveryView> {
    await this.skipping.skip(parseDeliveryId(id), reason);
    const [delivery] = await this.reader.find({ ids: [id] }, 1);
    if (!delivery) throw new DeliveryNotFound(id);
    return deliveryViewOf(delivery);
  }

  @Post('deliveries/replay')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Replay deliveries',
    description:
      'Makes dead and skipped deliveries due now with all their attempts, and keeps their errors. A pending delivery that waits for its next attempt is due now. A delivery that is done stays done. A preview returns what the same request without `preview` would do, and changes nothing.',
  })
  @ApiExamples({
    'Preview for all dead deliveries': { filter: { state: 'dead' }, preview: true },
    'Mails of one hour, after an outage of the mail server': {
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
  @ApiOkResponse({ description: 'The outcome, or what it would be', standardSchema: replayView })
  replayDeliveries(@Body({ schema: replayBody }) body: z.output<typeof replayBody>): Promise<ReplayView> {
    const { ids, filter, ...options } = body;
    return this.replay.deliveries({ ...filter, ids }, options);
  }

  @Post('lines/release')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Release a parked partition',
    description:
      'The dead delivery stays dead. The deliveries behind it are dispatched, and later ones do not wait for it.',
  })
  @ApiExamples({
    'A parked subject': {
      subscriber: 'notifications.emailLowStock',
      subject: 'stock/DEMO-TEA',
      reason: 'The later mails are useful without it',
    },
  })
  @ApiOkResponse({ description: 'The released deliveries', standardSchema: releaseView })
  @ApiProblems({ 409: ['line-not-parked'] })
  async release(@Body({ schema: releaseBody }) body: z.output<typeof releaseBody>): Promise<Release> {
    const { reason, ...partition } = body;
    return this.parkedPartitions.release(partition, reason);
  }
}

function lastOf(cursor: string | undefined) {
  if (cursor === undefined) return undefined;
  const [eventId, subscriber] = decodeCursor(cursor, cursorParts);
  return { eventId, subscriber };
}

function cursorOf({ eventId, subscriber }: { eventId: string; subscriber: string }) {
  return [eventId, subscriber];
}
