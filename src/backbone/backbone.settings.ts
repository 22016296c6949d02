import { z } from 'zod';
import { flag, slug, urlOf, wholeNumber } from '../common/config/config-fields.js';
import { CRASH_POINTS } from './crash-points.js';

const crashPoint = new RegExp(`^(${CRASH_POINTS.join('|')})(:[1-9]\\d*)?$`);

/** The variables that every program on the backbone reads; a program adds its own to them. */
export const backboneVariables = {
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('development')
    .meta({ description: 'production: JSON logs, and nothing is embedded unless you name it' }),
  HOST: z.string().min(1).default('127.0.0.1').meta({ description: 'address to listen on; 0.0.0.0 in a container' }),
  PORT: wholeNumber(0, 65_535)
    .default(3000)
    .meta({ description: 'port to listen on; when it is not set and 3000 is taken, the next free one' }),
  MODULES: z
    .string()
    .regex(/^[a-z]+(,[a-z]+)*$/, 'Give module names separated by commas')
    .optional()
    .meta({ description: 'modules active in this process, e.g. orders,inventory; all when empty' }),
  DATABASE_URL: z
    .union([z.literal('embedded'), urlOf('postgres', 'postgresql')])
    .optional()
    .meta({
      description: 'PostgreSQL 13 or newer; embedded (the default outside production) starts a server of its own',
    }),
  DATABASE_POOL_SIZE: wholeNumber(2, 1000)
    .default(20)
    .meta({ description: 'largest number of connections that this process opens for its modules' }),
  DATA_FOLDER: z
    .string()
    .min(1)
    .default('.orderly')
    .meta({ description: 'folder in which the embedded PostgreSQL keeps its data' }),
  MODULE_ROLES: z
    .enum(['off', 'enforced'])
    .default('off')
    .meta({ description: 'enforced: every module runs its SQL under its own database role (the tests do)' }),
  REDIS_URL: urlOf('redis', 'rediss')
    .optional()
    .meta({ description: 'BullMQ on this Redis; on PostgreSQL when empty' }),
  QUEUE_PREFIX: slug
    .default('orderly')
    .meta({ description: 'first part of every Redis key, so that several programs can share one Redis' }),
  WORKERS: flag.default('on').meta({
    description: 'off: this process only answers requests, and other processes run the deliveries of its modules',
  }),
  WORKER_CONCURRENCY: wholeNumber(1, 200)
    .default(20)
    .meta({ description: 'deliveries that each module handles at the same time' }),
  BACKLOG_MAX: wholeNumber(0, 1_000_000_000).default(1_000_000).meta({
    description:
      'back-pressure: new work gets 503 while more deliveries than this wait for their first attempt (paused and replayed ones do not count); 0: no limit',
  }),
  KEEP_DELIVERIES_DAYS: wholeNumber(0, 36_500)
    .default(30)
    .meta({ description: 'retention of deliveries that are done or skipped, in days; 0 keeps them for ever' }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .meta({ description: 'lowest level that is logged' }),
  LOG_FORMAT: z.enum(['pretty', 'json']).optional().meta({ description: 'pretty in development, json elsewhere' }),
  CRASH_AT: z
    .string()
    .regex(crashPoint, `Give name or name:2, of ${CRASH_POINTS.join(', ')}`)
    .optional()
    .meta({ description: 'for tests: the process kills itself at this point; refused in production' }),
} as const;

export type BackboneSettings = ReturnType<typeof arrangeBackboneSettings>;

/** Injects the settings of the backbone: `@Inject(BACKBONE_SETTINGS) settings: BackboneSettings`. */
export const BACKBONE_SETTINGS = Symbol('backbone settings');

const variables = z.object(backboneVariables);

/** Arranges the variables by concern. */
export function arrangeBackboneSettings(environment: z.infer<typeof variables>, isPortGiven: boolean) {
  const production = environment.NODE_ENV === 'production';
  return {
    production,
    modules: environment.MODULES?.split(',') ?? null,
    http: { host: environment.HOST, port: environment.PORT, isPortGiven },
    database: {
      url: environment.DATABASE_URL ?? 'embedded',
      poolSize: environment.DATABASE_POOL_SIZE,
      dataFolder: environment.DATA_FOLDER,
      enforceRoles: environment.MODULE_ROLES === 'enforced',
    },
    queue: {
      redisUrl: environment.REDIS_URL ?? null,
      prefix: environment.QUEUE_PREFIX,
      workers: environment.WORKERS === 'on',
      concurrency: environment.WORKER_CONCURRENCY,
    },
    backlogMax: environment.BACKLOG_MAX,
    deliveryDays: environment.KEEP_DELIVERIES_DAYS,
    log: {
      level: environment.LOG_LEVEL,
      format:
        environment.LOG_FORMAT ?? (environment.NODE_ENV === 'development' ? ('pretty' as const) : ('json' as const)),
    },
    crashAt: environment.CRASH_AT ?? null,
  };
}

/** Problems of a production environment that the schema alone does not show. */
export function backboneProductionProblems(environment: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (!environment.DATABASE_URL)
    problems.push('DATABASE_URL: in production give a PostgreSQL, or "embedded" if you want the embedded one');
  if (environment.CRASH_AT) problems.push('CRASH_AT: is for tests; remove it in production');
  return problems;
}
