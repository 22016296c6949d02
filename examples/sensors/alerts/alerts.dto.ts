import { z } from 'zod';

const time = z.iso.datetime();

export const alertView = z
  .object({ id: z.uuid(), sensor: z.string(), celsius: z.number(), raisedAt: time, clearedAt: time.nullable() })
  .meta({ id: 'Alert' });
