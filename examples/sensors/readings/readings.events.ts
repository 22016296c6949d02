import { z } from 'zod';
import { defineEvent, type EventOf } from '../../../src/backbone/domain-event.js';

export const ReadingTaken = defineEvent({
  type: 'readings.reading-taken.v1',
  description: 'A sensor measured a temperature.',
  subject: ({ sensor }) => `sensor/${sensor}`,
  data: z.object({ sensor: z.string(), celsius: z.number() }),
});
export type ReadingTaken = EventOf<typeof ReadingTaken>;
