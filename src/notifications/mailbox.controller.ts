import { applyDecorators, Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { z } from 'zod';
import { decodeCursor, pageOf, pageQuery } from '../common/http/pagination.js';
import { CONFIG, type Config } from '../config.js';
import { Mailbox } from './mailbox.js';
import { listPage, MAIL_VIEWS, mailPage } from './mailbox.page.js';

const listQuery = z.strictObject(pageQuery);
const cursorParts = z.tuple([z.uuid()]);
const mailQuery = z.strictObject({ view: z.enum(MAIL_VIEWS).default('html') });
const id = z.uuid();

/** Forbids scripts and external content, whatever a mail contains. Its iframe is sandboxed too. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const HtmlPage = (): MethodDecorator =>
  applyDecorators(
    Header('content-type', 'text/html; charset=utf-8'),
    Header('content-security-policy', CONTENT_SECURITY_POLICY),
    Header('cache-control', 'no-store'),
  );

/** HTML pages that show the kept mails. */
@ApiExcludeController()
@Controller('mailbox')
export class MailboxController {
  constructor(
    private readonly mailbox: Mailbox,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @HtmlPage()
  async list(@Query({ schema: listQuery }) { cursor, limit }: z.infer<typeof listQuery>): Promise<string> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, cursorParts)[0];
    const page = pageOf(await this.mailbox.latest(limit + 1, before), limit, ({ id }) => [id]);
    return listPage(page, { isOn: this.config.mail.smtpUrl === null, isNewest: before === undefined });
  }

  @Get(':id')
  @HtmlPage()
  async mail(
    @Param('id', { schema: id }) mailId: string,
    @Query({ schema: mailQuery }) { view }: z.infer<typeof mailQuery>,
  ): Promise<string> {
    return mailPage(await this.mailbox.find(mailId), view);
  }
}
