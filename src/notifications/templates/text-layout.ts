import type { Block, Letter, Shop, Table } from './letter.js';

const RULE = '-'.repeat(32);

/**
 * The plain text of a mail: the texts of its HTML in the same sequence, without alignment, so that any width is fine.
 */
export function textOf({ badge, heading, blocks }: Letter, shop: Shop): string {
  const parts = [shop.name, RULE, `[${badge.label}] ${heading}`, ...blocks.map(blockText), RULE, signatureOf(shop)];
  return `${parts.join('\n\n')}\n`;
}

/** Last line of every mail. */
export const signatureOf = (shop: Shop): string => `This mail was sent by ${shop.name}, ${shop.address}.`;

function blockText(block: Block): string {
  if (block.kind === 'paragraph') return block.text;
  if (block.kind === 'facts') return block.rows.map(({ label, value }) => `${label}: ${value}`).join('\n');
  return tableText(block);
}

function tableText({ caption, head, rows, foot }: Table): string {
  const items = rows.map(([quantity, name, last]) => `- ${name}\n  ${head[0]}: ${quantity}, ${head[2]}: ${last}`);
  return [`${caption}:`, ...items, ...(foot ? [`${foot.label}: ${foot.value}`] : [])].join('\n');
}
