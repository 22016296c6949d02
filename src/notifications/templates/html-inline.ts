import { html } from './html.js';

/** Styles that stand on every element, because some mail programs inherit nothing into a table. */
export const FONT = 'font-family:Segoe UI,Helvetica,Arial,sans-serif;';
export const TEXT = `${FONT}font-size:16px;line-height:24px;color:#2b2f38;`;
export const QUIET = `${FONT}font-size:13px;line-height:20px;color:#5c6270;`;

/** A table that only arranges: screen readers pass over it. */
export const LAYOUT_TABLE = html`role="presentation" cellpadding="0" cellspacing="0" border="0"`;
