import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { decodeCursor, type Page, pageOf } from '../common/http/pagination.js';
import { ApiOkPage, ApiProblems } from '../common/open-api/api-docs.js';
import { type MessageQuery, type MessageView, messageQuery, messageView, messageViewOf } from './notifications.dto.js';
import { NotificationsService } from './notifications.service.js';

const cursorParts = z.tuple([z.uuid()]);

@ApiTags('Notifications')
@Controller('v1/notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @ApiOperation({ summary: 'List the messages' })
  @ApiOkPage(messageView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(@Query({ schema: messageQuery }) query: MessageQuery): Promise<Page<MessageView>> {
    const { cursor, limit, ...filter } = query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, cursorParts)[0];
    const page = pageOf(await this.notifications.latest(limit + 1, { ...filter, before }), limit, ({ id }) => [id]);
    return { ...page, items: page.items.map(messageViewOf) };
  }
}
