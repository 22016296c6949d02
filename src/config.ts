import { existsSync } from 'node:fs';
import { z } from 'zod';
import { CRASH_POINTS } from './common/events/crash-points.js';
import { flag, mailSender, slug, urlOf, wholeNumber } from './config-fields.js';

const crashPoint = new RegExp(`^(${CRASH_POINTS.join('|')})(:[1-9]\\d*)?$`);

/**
 * Every variable that Orderly reads. `npm run docs` makes `.env.example` and docs/configuration.md from this.
 * @public
 */
export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('development')
    .meta({ description: 'production: JSON logs, and nothing is embedded unless asked for by name' }),
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
    .meta({ description: 'PostgreSQL 13 or newer; embedded (the default outside production) starts one of its own' }),
  DATABASE_POOL_SIZE: wholeNumber(2, 1000)
    .default(20)
    .meta({ description: 'most connections this process opens for its modules' }),
  DATA_FOLDER: z
    .string()
    .min(1)
    .default('.orderly')
    .meta({ description: 'where the embedded PostgreSQL keeps its data' }),
  MODULE_ROLES: z
    .enum(['off', 'enforced'])
    .default('off')
    .meta({ description: 'enforced: every module runs its SQL under its own database role (the tests do)' }),
  REDIS_URL: urlOf('redis', 'rediss')
    .optional()
    .meta({ description: 'BullMQ on this Redis; on PostgreSQL when empty' }),
  QUEUE_PREFIX: slug
    .default('orderly')
    .meta({ description: 'first part of every Redis key, so that several shops can share one Redis' }),
  WORKERS: flag
    .default('on')
    .meta({ description: 'off: this process only answers requests, and others handle what its modules have to hear' }),
  WORKER_CONCURRENCY: wholeNumber(1, 200)
    .default(20)
    .meta({ description: 'deliveries that each module handles at a time' }),
  BACKLOG_MAX: wholeNumber(0, 1_000_000_000).default(1_000_000).meta({
    description:
      'new orders get 503 while more deliveries than this wait for their first attempt, paused and replayed ones aside; 0: no bound',
  }),
  SMTP_URL: z
    .union([z.literal('mailbox'), urlOf('smtp', 'smtps')])
    .optional()
    .meta({
      description:
        'mail server, e.g. smtps://user:password@host; mailbox (the default outside production) keeps mails at /mailbox',
    }),
  MAIL_FROM: mailSender.default('Orderly <shop@orderly.example>').meta({ description: 'sender of every mail' }),
  OPERATORS_EMAIL: z.email().default('operators@orderly.example').meta({ description: 'who is told about low stock' }),
  KEEP_DELIVERIES_DAYS: wholeNumber(0, 36_500)
    .default(30)
    .meta({ description: 'days after which deliveries that are done or skipped are deleted; 0 keeps them for ever' }),
  KEEP_MESSAGES_DAYS: wholeNumber(0, 36_500)
    .default(365)
    .meta({ description: 'days after which messages that are sent or failed are deleted; 0 keeps them for ever' }),
  RECONCILE_EVERY_MINUTES: wholeNumber(0, 10_080)
    .default(60)
    .meta({ description: 'minutes between looks whether orders, stock, deliveries and messages agree; 0 for never' }),
  RECONCILE_GRACE_SECONDS: wholeNumber(0, 3_600)
    .default(5)
    .meta({ description: 'such a look leaves alone what is younger, and looks again after so long at what disagrees' }),
  DEMO_CATALOGUE: flag.optional().meta({ description: 'on: a first start loads a few products; off in production' }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .meta({ description: 'least level that is logged' }),
  LOG_FORMAT: z.enum(['pretty', 'json']).optional().meta({ description: 'pretty in development, json elsewhere' }),
  CRASH_AT: z
    .string()
    .regex(crashPoint, `Give name or name:2, of ${CRASH_POINTS.join(', ')}`)
    .optional()
    .meta({ description: 'for tests: the process kills itself at this point; refused in production' }),
});

export type Config = ReturnType<typeof arrange>;

/** Injects the configuration: `@Inject(CONFIG) config: Config`. */
export const CONFIG = Symbol('Config');

/** A start-up mistake that the operator can mend: shown as it is, without a stack. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(['Orderly cannot start with this configuration:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}

/**
 * Reads the environment once and arranges it by concern.
 * @throws {ConfigError} listing every problem at once and how to mend it
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = environmentSchema.safeParse(given);
  const problems = [...(parsed.error?.issues.map(sentence) ?? []), ...productionProblems(given)];
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return arrange(parsed.data, 'PORT' in given);
}

/** The environment of this process, with what a `.env` file in the current folder adds to it. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

type Environment = z.infer<typeof environmentSchema>;

function sentence(issue: z.core.$ZodIssue): string {
  const name = issue.path.join('.');
  const description = environmentSchema.shape[name as keyof Environment]?.meta()?.description;
  return `${name}: ${issue.message}${description ? ` (${description})` : ''}`;
}

function productionProblems(environment: Readonly<Record<string, string | undefined>>): string[] {
  if (environment.NODE_ENV !== 'production') return [];
  const problems: string[] = [];
  if (!environment.DATABASE_URL)
    problems.push('DATABASE_URL: in production give a PostgreSQL, or say "embedded" if you mean the embedded one');
  if (!environment.SMTP_URL)
    problems.push(
      'SMTP_URL: in production give a mail server, or say "mailbox" if mails should only be kept at /mailbox',
    );
  if (environment.CRASH_AT) problems.push('CRASH_AT: is for tests; remove it in production');
  return problems;
}

function arrange(environment: Environment, portIsGiven: boolean) {
  const production = environment.NODE_ENV === 'production';
  return Object.freeze({
    production,
    modules: environment.MODULES?.split(',') ?? null,
    http: { host: environment.HOST, port: environment.PORT, portIsGiven },
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
    mail: {
      smtpUrl: !environment.SMTP_URL || environment.SMTP_URL === 'mailbox' ? null : environment.SMTP_URL,
      from: environment.MAIL_FROM,
      operators: environment.OPERATORS_EMAIL,
    },
    retention: { deliveryDays: environment.KEEP_DELIVERIES_DAYS, messageDays: environment.KEEP_MESSAGES_DAYS },
    reconciliation: {
      everyMinutes: environment.RECONCILE_EVERY_MINUTES,
      graceSeconds: environment.RECONCILE_GRACE_SECONDS,
    },
    demoCatalogue: (environment.DEMO_CATALOGUE ?? (production ? 'off' : 'on')) === 'on',
    log: {
      level: environment.LOG_LEVEL,
      format: environment.LOG_FORMAT ?? (environment.NODE_ENV === 'development' ? 'pretty' : 'json'),
    },
    crashAt: environment.CRASH_AT ?? null,
  });
}
