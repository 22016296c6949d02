// The habit: environment variables are validated once, when the program starts.
import { z } from 'zod';

const schema = z.object({
  DATABASE_URL: z.string(),
  DATABASE_POOL_SIZE: z.coerce.number().default(20),
  REDIS_URL: z.string(),
  QUEUE_PREFIX: z.string().default('tutorial'),
  SMTP_URL: z.string(),
  WORKERS: z.enum(['on', 'off']).default('on'),
  PORT: z.coerce.number().default(3000),
});

export const environment = schema.parse(process.env);
