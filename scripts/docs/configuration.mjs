import { z } from 'zod';
import { environmentSchema } from '../../dist/config.js';
import { code, table, wordsFor } from './words.mjs';

const variables = Object.entries(
  z.toJSONSchema(environmentSchema, { io: 'output', unrepresentable: 'any' }).properties,
);

/** docs/configuration.md */
export function configurationPage() {
  const rows = variables.map(([name, schema]) => [
    code(name),
    schema.default === undefined ? '' : code(schema.default),
    wordsFor(schema),
    schema.description,
  ]);
  return `# Configuration

Orderly reads these variables once, when it starts, from its environment and from a \`.env\` file in its working directory.
The environment overrides the file, and an empty variable counts as not set. If a value is invalid, Orderly refuses to
start and lists every problem at once. To try a setting, copy \`.env.example\` to \`.env\`.

${table(['variable', 'default', 'value', 'meaning'], rows)}

<!-- Generated from the schema in src/config.ts by npm run docs. Change it there. -->
`;
}

/** .env.example: every variable is commented out, so a copy of it changes nothing. */
export function exampleFile() {
  const entries = variables.map(([name, schema]) => {
    const value = wordsFor(schema).replaceAll('`', '');
    return `# ${schema.description}${value === 'text' ? '' : ` (${value})`}\n#${name}=${quoted(schema.default)}\n`;
  });
  return `# Copy this file to .env and remove the # before the variables that you change. All others keep the defaults below.
# Generated from the schema in src/config.ts by npm run docs. Change it there.

${entries.join('\n')}`;
}

function quoted(value = '') {
  return /[\s#<>]/.test(value) ? `"${value}"` : value;
}
