/** SQL expressions by the text that they replace. */
export type Variables = ReadonlyMap<string, string>;

/** An SQL expression for a text in which all occurrences of the variables are replaced by their expressions. */
export function expressionOf(text: string, variables: Variables): string {
  const pieces = text.split(new RegExp(`(${[...variables.keys()].join('|')})`)).filter((piece) => piece !== '');
  if (pieces.length === 0) return "''";
  return pieces.map((piece) => variables.get(piece) ?? literal(piece)).join(' || ');
}

/** Escapes colons too, because pgbench would read them as the start of a variable. */
function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n').replaceAll(':', '\\x3a');
  return `E'${escaped}'`;
}
