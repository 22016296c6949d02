import type { Page } from '../common/http/pagination.js';
import type { MailboxMail, MailSummary } from './mailbox-mail.entity.js';
import { type Html, html } from './templates/html.js';
import { styles } from './templates/mailbox-styles.js';

export const MAIL_VIEWS = ['html', 'text', 'headers'] as const;
export type MailView = (typeof MAIL_VIEWS)[number];

interface ListState {
  /** False where `SMTP_URL` is set: then mails go to that server, and the mailbox receives no new ones. */
  readonly isOn: boolean;
  readonly isNewest: boolean;
}

/** The mails, newest first. */
export function listPage({ items, nextCursor }: Page<MailSummary>, { isOn, isNewest }: ListState): string {
  return page(
    'Mailbox',
    html`<header><h1>Mailbox</h1><a class="button" href="/mailbox">${isNewest ? 'Refresh' : 'Newest'}</a></header>
${isOn ? keptNotice : sentNotice}
${items.length > 0 ? html`<ul class="mails">${items.map(listItem)}</ul>` : emptyList(isOn)}
${nextCursor === null ? '' : pager(nextCursor)}`,
  );
}

/** One mail, as HTML in a sandbox, as plain text, or its headers. */
export function mailPage(mail: MailboxMail, view: MailView): string {
  return page(
    mail.subject,
    html`<nav aria-label="Back"><a href="/mailbox">← Mailbox</a></nav>
<header><h1>${mail.subject}</h1></header>
<dl class="envelope">
<dt>From</dt><dd>${mail.sender}</dd>
<dt>To</dt><dd>${mail.recipient}</dd>
<dt>Sent</dt><dd>${time(mail.createdAt)}</dd>
<dt>About</dt><dd>${linksOf(mail)}</dd>
</dl>
<nav class="tabs" aria-label="Views of this mail">${MAIL_VIEWS.map((name) => tab(mail, name, view))}</nav>
${mailContent(mail, view)}`,
  );
}

const keptNotice = html`<p class="note">No mail server is set, so mails stay here instead of going out.
Set <code>SMTP_URL</code> to send them.</p>`;

const sentNotice = html`<p class="note warn">Mails go out through the mail server in <code>SMTP_URL</code>.
Nothing new arrives here.</p>`;

const invitation = html`<p>Place an order with <code>POST /v1/orders</code>, and its confirmation appears here.
<a href="/docs">Try it out</a></p>`;

const emptyList = (isOn: boolean): Html => html`<div class="empty"><h2>No mails</h2>${isOn ? invitation : ''}</div>`;

function pager(cursor: string): Html {
  return html`<nav aria-label="Pages"><a class="button" href="/mailbox?cursor=${cursor}">Older mails</a></nav>`;
}

function listItem({ id, subject, recipient, createdAt }: MailSummary): Html {
  return html`<li><a href="/mailbox/${id}">
<strong>${subject}</strong><span>${recipient}</span>${time(createdAt)}
</a></li>`;
}

function linksOf({ aboutKind, aboutId }: MailboxMail): Html {
  const path = encodeURIComponent(aboutId);
  return aboutKind === 'order'
    ? html`Order <a href="/v1/orders/${path}">${aboutId}</a> · <a href="/v1/orders/${path}/timeline">Timeline</a>`
    : html`Product <a href="/v1/products/${path}">${aboutId}</a> · <a href="/v1/stock/${path}">Stock</a>`;
}

const TAB_LABELS: Record<MailView, string> = { html: 'HTML', text: 'Plain text', headers: 'Headers' };

function tab({ id }: MailboxMail, name: MailView, current: MailView): Html {
  const mark = name === current ? html` aria-current="page"` : '';
  return html`<a href="/mailbox/${id}?view=${name}"${mark}>${TAB_LABELS[name]}</a>`;
}

function mailContent(mail: MailboxMail, view: MailView): Html {
  if (view === 'html') return html`<iframe title="The mail as HTML" sandbox="" srcdoc="${mail.html}"></iframe>`;
  return html`<pre tabindex="0" aria-label="${TAB_LABELS[view]}">${view === 'text' ? mail.text : headersOf(mail)}</pre>`;
}

function headersOf({ messageId, sender, recipient, subject, createdAt, headers }: MailboxMail): string {
  const own = { From: sender, To: recipient, Subject: subject, Date: createdAt.toUTCString(), 'Message-ID': messageId };
  return Object.entries({ ...own, ...headers })
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

const DATE_FORMAT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

const time = (at: Date): Html => html`<time datetime="${at.toISOString()}">${DATE_FORMAT.format(at)} UTC</time>`;

function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${styles}
</head>
<body><main>${body}</main></body>
</html>
`.toString();
}
