import { z } from 'zod';
import { pageQuery } from '../../../src/common/http/pagination.js';

const sensor = z.string().regex(/^[a-z0-9-]{1,64}$/, 'Give 1 to 64 of a-z, 0-9 and -');
const celsius = z.number().min(-273.15).max(10_000);

export const readingBody = z.strictObject({ sensor, celsius }).meta({ id: 'ReadingInput' });
export const readingQuery = z.strictObject({ sensor: sensor.optional(), ...pageQuery });
export const readingView = z
  .object({ id: z.uuid(), sensor, celsius, takenAt: z.iso.datetime() })
  .meta({ id: 'Reading' });
