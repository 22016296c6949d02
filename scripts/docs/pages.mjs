import { configurationPage, exampleFile } from './configuration.mjs';
import { eventsPage } from './events.mjs';
import { asyncApiFile, schemaFiles } from './events-as-data.mjs';

/** The generated files: text by path. */
export const pages = () => ({
  ...schemaFiles(),
  'docs/asyncapi.json': asyncApiFile(),
  'docs/events.md': eventsPage(),
  'docs/configuration.md': configurationPage(),
  '.env.example': exampleFile(),
});
