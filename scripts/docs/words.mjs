const FORMATS = { uuid: 'UUID', email: 'e-mail address', 'date-time': 'time', uri: 'URL' };
const TYPES = { string: 'text', number: 'number', boolean: 'true or false', object: 'object' };

/** Describes in a few words which values a JSON schema allows. */
export function wordsFor(schema) {
  const alternatives = alternativesOf(schema);
  const last = alternatives.at(-1);
  return alternatives.length > 1 ? `${alternatives.slice(0, -1).join(', ')} or ${last}` : last;
}

/** A Markdown table without its empty columns. */
export function table(head, rows) {
  const used = head.map((_, column) => rows.some((row) => row[column] !== ''));
  const rowText = (cells) => `| ${cells.filter((_, column) => used[column]).join(' | ')} |`;
  return [head, head.map(() => '---'), ...rows].map(rowText).join('\n');
}

export const code = (text) => `\`${text}\``;

function alternativesOf(schema) {
  if (schema.anyOf) return schema.anyOf.flatMap(alternativesOf);
  if (schema.enum) return schema.enum.map(code);
  if (schema.startsWith) return schema.startsWith.map((start) => code(`${start}…`));
  if ('const' in schema) return [code(schema.const)];
  if (schema.$ref) return [schema.$ref.split('/').at(-1).toLowerCase()];
  if (schema.type === 'null') return ['nothing'];
  if (schema.type === 'array') return [`list of ${wordsFor(schema.items)}`];
  if (schema.type === 'integer') return [`whole number${rangeOf(schema)}`];
  return [FORMATS[schema.format] ?? TYPES[schema.type] ?? 'anything'];
}

function rangeOf({ minimum, maximum }) {
  const from = Number.isSafeInteger(minimum) && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const to = Number.isSafeInteger(maximum) && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (from !== undefined && to !== undefined) return `, ${from} to ${to}`;
  if (from !== undefined) return `, ${from} or more`;
  return to === undefined ? '' : `, ${to} or less`;
}
