import { configurationPage, exampleFile } from './configuration.mjs';
import { eventsPage } from './events.mjs';

/** What follows from the sources, by path. */
export const pages = () => ({
  'docs/events.md': eventsPage(),
  'docs/configuration.md': configurationPage(),
  '.env.example': exampleFile(),
});
