import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { EventReader } from '../../backbone/event-reader.js';
import { withoutPersonalData } from '../../backbone/log/personal-data.js';
import { EventContracts } from '../../backbone/registry/event-contracts.js';
import { text } from '../../common/http/fields.js';
import { decodeCursor, type Page, pageOf, pageQuery } from '../../common/http/pagination.js';
import { ApiOkPage, ApiProblems } from '../../common/open-api/api-docs.js';

const eventQuery = z.strictObject({
  subject: text(200).optional().meta({ description: 'e.g. `order/0192…` or `stock/NW-11`' }),
  type: text(200).optional().meta({ description: 'e.g. `orders.order-placed.v1`' }),
  correlationId: text(128).optional(),
  ...pageQuery,
});

const eventView = z
  .object({
    id: z.uuid(),
    type: z.string(),
    subject: z.string(),
    version: z.int().meta({ description: 'The events of a subject are numbered 1, 2, 3 …' }),
    position: z.int().meta({ description: 'Position in the event log' }),
    occurredAt: z.iso.datetime(),
    correlationId: z.string(),
    causationId: z.string().nullable(),
    actor: z.string(),
    data: z.unknown().meta({ description: 'Data of the event; personal fields are hidden' }),
  })
  .meta({ id: 'Event' });

const cursorParts = z.tuple([z.int()]);

@ApiTags('Operations')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly events: EventReader,
    private readonly contracts: EventContracts,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the events of the log' })
  @ApiOkPage(eventView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(
    @Query({ schema: eventQuery }) query: z.output<typeof eventQuery>,
  ): Promise<Page<z.infer<typeof eventView>>> {
    const { cursor, limit, ...filter } = query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, cursorParts)[0];
    const page = pageOf(await this.events.find({ ...filter, before }, limit + 1), limit, ({ position }) => [position]);
    const items = page.items.map(({ metadata, occurredAt, ...event }) => ({
      ...event,
      occurredAt: occurredAt.toISOString(),
      actor: metadata.actor,
      data: this.visibleData(event.type, event.data),
    }));
    return { ...page, items };
  }

  /** Without the contract of its type, it is unknown which fields are personal, so none is shown. */
  private visibleData(type: string, data: unknown): unknown {
    const contract = this.contracts.named(type);
    return contract ? withoutPersonalData(contract.data, data) : null;
  }
}
