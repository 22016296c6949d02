/** What stands in SQL for some texts, by those texts. */
export type Variables = ReadonlyMap<string, string>;

/** An SQL expression for a text in which others take the place of some pieces, and all else is as it was. */
export function expressionOf(text: string, variables: Variables): string {
  const pieces = text.split(new RegExp(`(${[...variables.keys()].join('|')})`)).filter((piece) => piece !== '');
  if (pieces.length === 0) return "''";
  return pieces.map((piece) => variables.get(piece) ?? literal(piece)).join(' || ');
}

/** Without a colon, in which pgbench would see the beginning of a variable. */
function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n').replaceAll(':', '\\x3a');
  return `E'${escaped}'`;
}
