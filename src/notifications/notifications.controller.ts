import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { text } from '../common/http/fields.js';
import { decodeCursor, type Page, pageOf, pageQuery } from '../common/http/pagination.js';
import { ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import { type Message, messageStates } from './message.entity.js';
import { NotificationsService } from './notifications.service.js';

const messageView = z
  .object({
    id: z.uuid(),
    subject: z.string().meta({ description: 'The id of the order, or the SKU' }),
    template: z.string().meta({ example: 'order-confirmed' }),
    channel: z.literal('email'),
    recipient: z.string().meta({ example: 'maria@example.com' }),
    state: z.enum(messageStates),
    eventId: z.uuid().meta({ description: 'The event because of which it is sent' }),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime().nullable(),
    attempts: z.int().min(1),
  })
  .meta({ id: 'Notification' });

const listQuery = z.strictObject({
  subject: text(100).optional().meta({ description: 'The id of an order, or a SKU' }),
  state: z.enum(messageStates).optional(),
  ...pageQuery,
});
const cursorParts = z.tuple([z.uuid()]);

type MessageView = z.infer<typeof messageView>;

@ApiTags('Notifications')
@Controller('v1/notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @ApiOperation({ summary: 'See who was told what, and whether it was sent' })
  @ApiOkPage(messageView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(@Query({ schema: listQuery }) query: z.infer<typeof listQuery>): Promise<Page<MessageView>> {
    const { cursor, limit, ...wanted } = query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, cursorParts)[0];
    const messages = await this.notifications.latest(limit + 1, { ...wanted, before });
    const { items, nextCursor } = pageOf(messages, limit, ({ id }) => [id]);
    return { items: items.map(viewOf), nextCursor };
  }
}

function viewOf(message: Message): MessageView {
  const { id, subject, template, channel, recipient, state, eventId, attempts } = message;
  const createdAt = message.createdAt.toISOString();
  const sentAt = message.sentAt?.toISOString() ?? null;
  return { id, subject, template, channel, recipient, state, eventId, createdAt, sentAt, attempts };
}
