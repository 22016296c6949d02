import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { decodeCursor, type Page, pageOf, pageQuery } from '../../common/http/pagination.js';
import { ApiOkPage, ApiProblems } from '../../common/open-api/api-docs.js';
import { ACTIONS, Audit } from './audit.js';

const facts = z.record(z.string(), z.unknown());

const auditEntryView = z
  .object({
    id: z.uuid(),
    action: z.enum(ACTIONS),
    target: facts.meta({ description: 'The deliveries, subscriber or partition that the operation changed' }),
    reason: z.string().nullable(),
    actor: z.string(),
    correlationId: z.string().meta({ description: 'Correlation id of the request' }),
    before: facts.meta({ description: 'Counts or states before the operation' }),
    after: facts.meta({ description: 'Counts or states after the operation' }),
    at: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable().meta({
      description: 'null while the operation runs; it stays null if the process died: repeat the request then',
    }),
  })
  .meta({ id: 'Operation' });

const auditQuery = z.strictObject(pageQuery);
const cursorParts = z.tuple([z.uuid()]);

@ApiTags('Operations')
@Controller('v1/operations/audit')
export class AuditController {
  constructor(private readonly audit: Audit) {}

  @Get()
  @ApiOperation({ summary: 'List the operations of the audit' })
  @ApiOkPage(auditEntryView)
  @ApiProblems({ 400: ['cursor-invalid'] })
  async list(
    @Query({ schema: auditQuery }) { cursor, limit }: z.output<typeof auditQuery>,
  ): Promise<Page<z.infer<typeof auditEntryView>>> {
    const olderThan = cursor === undefined ? undefined : decodeCursor(cursor, cursorParts)[0];
    const page = pageOf(await this.audit.list(limit + 1, olderThan), limit, ({ id }) => [id]);
    const items = page.items.map(({ at, finishedAt, ...entry }) => ({
      ...entry,
      at: at.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
    }));
    return { ...page, items };
  }
}
