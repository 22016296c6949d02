import { html } from './html.js';

/** Styles that every element repeats, because some mail clients do not inherit styles into tables. */
export const FONT = 'font-family:Segoe UI,Helvetica,Arial,sans-serif;';
export const TEXT = `${FONT}font-size:16px;line-height:24px;color:#2b2f38;`;
export const QUIET = `${FONT}font-size:13px;line-height:20px;color:#5c6270;`;

/** Attributes of a table for layout only, which screen readers ignore. */
export const LAYOUT_TABLE = html`role="presentation" cellpadding="0" cellspacing="0" border="0"`;
