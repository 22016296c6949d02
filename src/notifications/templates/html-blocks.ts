import { type Html, html } from './html.js';
import { LAYOUT_TABLE, QUIET, TEXT } from './html-inline.js';
import type { Block, Fact, Row, Table } from './letter.js';

const BREAK = 'word-break:break-word;';
/** The three columns of a table: the name takes the remaining width, numbers do not wrap. */
const COLUMNS = [
  { align: 'right', style: 'padding:10px 0;white-space:nowrap;' },
  { align: 'left', style: `padding:10px 12px;${BREAK}` },
  { align: 'right', style: 'padding:10px 0;white-space:nowrap;' },
] as const;

export function blockHtml(block: Block): Html {
  if (block.kind === 'paragraph') return paragraphHtml(block.text);
  return block.kind === 'facts' ? factsHtml(block.rows) : tableHtml(block);
}

function paragraphHtml(text: string): Html {
  return html`<p class="ink" style="margin:0 0 20px;${TEXT}${BREAK}">${text}</p>\n`;
}

function factsHtml(rows: readonly Fact[]): Html {
  const panel = 'background-color:#f7f8fa;border-radius:8px;margin:0 0 20px;';
  return html`<table ${LAYOUT_TABLE} class="panel" width="100%" bgcolor="#f7f8fa" style="${panel}">
<tr><td style="padding:14px 16px 4px;">${rows.map(factHtml)}</td></tr>
</table>\n`;
}

function factHtml({ label, value }: Fact): Html {
  return html`<p class="quiet" style="margin:0;${QUIET}">${label}</p>
<p class="ink" style="margin:0 0 10px;${TEXT}${BREAK}">${value}</p>`;
}

function tableHtml({ caption, head, rows, foot }: Table): Html {
  const style = 'width:100%;margin:0 0 20px;border-collapse:collapse;';
  return html`<table width="100%" cellpadding="0" cellspacing="0" border="0" aria-label="${caption}" style="${style}">
<thead><tr>${COLUMNS.map((column, index) => headCell(column, head[index] ?? ''))}</tr></thead>
<tbody>${rows.map(rowHtml)}</tbody>${foot ? footHtml(foot) : ''}
</table>\n`;
}

function headCell({ align, style }: (typeof COLUMNS)[number], label: string): Html {
  const base = `${QUIET}font-weight:600;border-bottom:1px solid #d5d9e0;`;
  return html`<th scope="col" class="quiet line" align="${align}" style="${base}${style}">${label}</th>`;
}

function rowHtml(row: Row): Html {
  const border = 'border-bottom:1px solid #e6e8ed;';
  const cells = COLUMNS.map(({ align, style }, index) => {
    const text = row[index] ?? '';
    return html`<td class="ink line" align="${align}" valign="top" style="${TEXT}${border}${style}">${text}</td>`;
  });
  return html`<tr>${cells}</tr>`;
}

function footHtml({ label, value }: Fact): Html {
  const bold = `${TEXT}font-weight:700;`;
  return html`<tfoot><tr>
<th scope="row" colspan="2" class="ink" align="left" style="${bold}padding:14px 12px 0 0;">${label}</th>
<td class="ink" align="right" style="${bold}padding:14px 0 0;white-space:nowrap;">${value}</td>
</tr></tfoot>`;
}
