/** Formats the outcome as text. */
export function reportOf({ orders, stock, mails, seconds }) {
  const reserved = stock.reduce((sum, product) => sum + product.reserved, 0);
  const placed = Object.values(orders).reduce((sum, count) => sum + count, 0);
  return [
    ...tableOf(
      ['SKU', 'product', 'on hand', 'reserved', 'available'],
      stock.map(({ sku, name, onHand, reserved }) => [sku, name, onHand, reserved, onHand - reserved]),
    ),
    '',
    `${placed} orders: ${listOf(orders)}`,
    `${reserved} units reserved of ${stock.filter((product) => product.reserved > 0).length} products`,
    `${Object.values(mails).reduce((sum, count) => sum + count, 0)} mails: ${listOf(mails)}`,
    `${seconds} seconds`,
    '',
  ].join('\n');
}

function listOf(counts) {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** Text is left-aligned, numbers are right-aligned. */
function tableOf(heads, rows) {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => String(row[column]).length)));
  const isNumber = heads.map((_, column) => typeof rows[0]?.[column] === 'number');
  const rowText = (cells) =>
    cells
      .map((cell, column) => (isNumber[column] ? String(cell).padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ');
  return [rowText(heads), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(rowText)];
}
