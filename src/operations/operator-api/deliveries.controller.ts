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
  id,
  parkedQuery,
  parkedView,
  parkedViewOf,
  releaseBody,
  releaseView,
  skipBody,
  viewOf,
} from './deliveries.dto.js';
import { DeliveryNotFound } from './operations.errors.js';
import { ParkedPartitions, type Release } from './parked-partitions.js';
import { DeliverySkipping } from './skipping.js';

/** More groups than these nobody reads. */
const GROUPS_MAX = 200;

const cursorParts = z.tuple([z.uuid(), text(100)]);

type DeliveryView = z.infer<typeof deliveryView>;

@ApiTags('Operations')
@Controller('v1/operations')
export class DeliveriesController {
  constructor(
    private readonly reader: DeliveryReader,
    private readonly lines: ParkedPartitions,
    private readonly skipping: DeliverySkipping,
  ) {}

  @Get('deliveries')
  @ApiOperation({ summary: 'See who has heard what, and who has not' })
  @ApiOkPage(deliveryView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(@Query({ schema: deliveryQuery }) query: z.output<typeof deliveryQuery>): Promise<Page<DeliveryView>> {
    const { cursor, limit, ...filter } = query;
    const page = pageOf(await this.reader.find(filter, limit + 1, lastOf(cursor)), limit, cursorOf);
    return { ...page, items: page.items.map(viewOf) };
  }

  @Get('dead')
  @ApiOperation({
    summary: 'See what deliveries died of',
    description: 'One group for each subscriber and cause, the largest first.',
  })
  @ApiOkResponse({ description: 'The groups', standardSchema: deadGroupList })
  async dead(): Promise<z.infer<typeof deadGroupList>> {
    return { items: (await this.reader.deadGroups(GROUPS_MAX)).map(deadGroupViewOf) };
  }

  @Get('parked')
  @ApiOperation({ summary: 'See which subjects wait behind a dead delivery' })
  @ApiOkPage(parkedView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async parked(
    @Query({ schema: parkedQuery }) { cursor, limit }: z.output<typeof parkedQuery>,
  ): Promise<Page<z.infer<typeof parkedView>>> {
    const page = pageOf(await this.lines.parked(limit + 1, lastOf(cursor)), limit, cursorOf);
    return { ...page, items: page.items.map(parkedViewOf) };
  }

  @Post('deliveries/:id/skip')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Skip a delivery that is dead or waits',
    description: 'It counts as finished, and the next in its line goes on at once. A replay can bring it back.',
  })
  @ApiExamples({ 'Settled by hand': { reason: 'The customer was told on the phone' } })
  @ApiOkResponse({ description: 'The skipped delivery', standardSchema: deliveryView })
  @ApiProblems({ 404: ['delivery-not-found'], 409: ['delivery-done', 'delivery-being-handled'] })
  async skip(
    @Param('id', { schema: id }) id: string,
    @Body({ schema: skipBody }) { reason }: z.output<typeof skipBody>,
  ): Promise<DeliveryView> {
    await this.skipping.skip(parseDeliveryId(id), reason);
    const [delivery] = await this.reader.find({ ids: [id] }, 1);
    if (!delivery) throw new DeliveryNotFound(id);
    return viewOf(delivery);
  }

  @Post('lines/release')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Let others pass a dead delivery',
    description: 'It stays dead, but what waits behind it goes on, and what comes later does not wait.',
  })
  @ApiExamples({
    'A subject that waits': {
      subscriber: 'notifications.emailLowStock',
      subject: 'stock/DEMO-TEA',
      reason: 'What follows makes sense without it',
    },
  })
  @ApiOkResponse({ description: 'What was released', standardSchema: releaseView })
  @ApiProblems({ 409: ['line-not-parked'] })
  async release(@Body({ schema: releaseBody }) body: z.output<typeof releaseBody>): Promise<Release> {
    const { reason, ...line } = body;
    return this.lines.release(line, reason);
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
