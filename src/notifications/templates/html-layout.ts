import { type Html, html } from './html.js';
import { blockHtml } from './html-blocks.js';
import { FONT, LAYOUT_TABLE, QUIET } from './html-inline.js';
import { styles } from './html-styles.js';
import type { Badge, Letter, Shop } from './letter.js';
import { signatureOf } from './text-layout.js';

const BADGE_COLOURS: Record<Badge['kind'], { readonly background: string; readonly color: string }> = {
  good: { background: '#dff3e7', color: '#14532d' },
  bad: { background: '#fde6e3', color: '#7f1d1d' },
  watch: { background: '#fdf0cf', color: '#6b4200' },
};

/** Only Outlook on Windows reads this: sizes that follow its zoom, an installed font, and tables without gaps. */
const outlookHead = html`<!--[if mso]>
<noscript><xml>
<o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings>
</xml></noscript>
<style>
table{border-collapse:collapse;mso-table-lspace:0;mso-table-rspace:0}
td,th,h1,p{font-family:Arial,sans-serif!important}
</style>
<![endif]-->`;

/** Invisible characters, so that an inbox does not show the beginning of the mail after a short preheader. */
const preheaderPadding: readonly Html[] = Array.from({ length: 60 }, () => html`&#8199;&#847; `);

/**
 * The HTML of a mail. It uses tables and inline styles, because Outlook on Windows renders with the engine of Word,
 * which has no max-width and no padding on blocks; conditional comments give it a table of fixed width. Nothing is
 * loaded from outside.
 */
export function htmlOf(letter: Letter, shop: Shop): Html {
  return html`<!doctype html>
<html lang="en" dir="ltr" xmlns="http://www.w3.org/1999/xhtml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="x-apple-disable-message-reformatting">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${letter.subject}</title>
${outlookHead}
${styles}
</head>
<body class="page" bgcolor="#f3f4f6" style="margin:0;padding:0;background-color:#f3f4f6;">
${preheader(letter.preheader)}
<div role="article" aria-roledescription="email" aria-label="${letter.subject}" lang="en" dir="ltr">
<table ${LAYOUT_TABLE} class="page" width="100%" bgcolor="#f3f4f6" style="background-color:#f3f4f6;">
<tr><td class="outer" align="center" style="padding:32px 16px;">
<!--[if mso]><table ${LAYOUT_TABLE} width="600" align="center"><tr><td><![endif]-->
<table ${LAYOUT_TABLE} width="100%" style="max-width:600px;margin:0 auto;">
<tr><td class="shop" style="padding:0 4px 16px;${FONT}font-size:18px;line-height:24px;font-weight:700;color:#2b2f38;">
${shop.name}</td></tr>
${cardHtml(letter)}
<tr><td class="quiet" align="center" style="padding:20px 8px 0;${QUIET}">${signatureOf(shop)}</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr>
</table>
</div>
</body>
</html>
`;
}

function preheader(text: string): Html {
  const hidden = 'display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;';
  return html`<div style="${hidden}">${text}${preheaderPadding}</div>`;
}

function cardHtml({ badge, heading, blocks }: Letter): Html {
  const frame = 'background-color:#ffffff;border:1px solid #e1e4ea;border-radius:12px;padding:32px 32px 12px;';
  const font = `${FONT}font-size:26px;line-height:34px;font-weight:700;color:#171a21;`;
  return html`<tr><td class="card" bgcolor="#ffffff" style="${frame}">
${badgeHtml(badge)}
<h1 class="ink" style="${font}margin:16px 0 12px;word-break:break-word;">${heading}</h1>
${blocks.map(blockHtml)}
</td></tr>`;
}

function badgeHtml({ kind, label }: Badge): Html {
  const { background, color } = BADGE_COLOURS[kind];
  const pill = `background-color:${background};border-radius:999px;padding:4px 12px;`;
  const font = `${FONT}font-size:13px;line-height:20px;font-weight:600;color:${color};`;
  return html`<table ${LAYOUT_TABLE}><tr>
<td class="badge-${kind}" bgcolor="${background}" style="${pill}${font}">${label}</td>
</tr></table>`;
}
