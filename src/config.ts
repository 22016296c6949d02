import { existsSync } from 'node:fs';
import { z } from 'zod';
import {
  arrangeBackboneSettings,
  backboneProductionProblems,
  backboneVariables,
} from './backbone/backbone.settings.js';
import { flag, mailSender, urlOf, wholeNumber } from './common/config/config-fields.js';
import { parseEnvironment } from './common/config/environment.js';
import { arrangeOperationsSettings, operationsVariables } from './operations/operations.settings.js';

/**
 * Every variable that Orderly reads. `npm run docs` makes `.env.example` and docs/configuration.md from this.
 * @public
 */
export const environmentSchema = z.object({
  ...backboneVariables,
  SMTP_URL: z
    .union([z.literal('mailbox'), urlOf('smtp', 'smtps')])
    .optional()
    .meta({
      description:
        'mail server, e.g. smtps://user:password@host; mailbox (the default outside production) keeps mails at /mailbox',
    }),
  MAIL_FROM: mailSender.default('Orderly <shop@orderly.example>').meta({ description: 'sender of every mail' }),
  OPERATORS_EMAIL: z
    .email()
    .default('operators@orderly.example')
    .meta({ description: 'recipient of mails about low stock' }),
  KEEP_MESSAGES_DAYS: wholeNumber(0, 36_500)
    .default(365)
    .meta({ description: 'retention of messages that are sent or failed, in days; 0 keeps them for ever' }),
  ...operationsVariables,
  DEMO_CATALOGUE: flag.optional().meta({ description: 'on: the first start adds a few products; off in production' }),
});

export type Config = ReturnType<typeof readConfig>;

/** Injects the configuration: `@Inject(CONFIG) config: Config`. */
export const CONFIG = Symbol('Config');

/**
 * Reads the environment once and arranges it by concern.
 * @throws {ConfigInvalid} listing every problem and its remedy
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>) {
  const parsed = parseEnvironment(environmentSchema, environment, productionProblems);
  const backbone = arrangeBackboneSettings(parsed, Boolean(environment.PORT?.trim()));
  return Object.freeze({
    ...backbone,
    ...arrangeOperationsSettings(parsed),
    mail: {
      smtpUrl: !parsed.SMTP_URL || parsed.SMTP_URL === 'mailbox' ? null : parsed.SMTP_URL,
      from: parsed.MAIL_FROM,
      operators: parsed.OPERATORS_EMAIL,
    },
    messageDays: parsed.KEEP_MESSAGES_DAYS,
    demoCatalogue: (parsed.DEMO_CATALOGUE ?? (backbone.production ? 'off' : 'on')) === 'on',
  });
}

/** The environment of this process, with the variables that a `.env` file in the current folder adds. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

function productionProblems(environment: Readonly<Record<string, string | undefined>>): string[] {
  const problems = backboneProductionProblems(environment);
  if (!environment.SMTP_URL)
    problems.push('SMTP_URL: in production give a mail server, or "mailbox" to keep the mails at /mailbox');
  return problems;
}
