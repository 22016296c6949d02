import { z } from 'zod';
import {
  arrangeBackboneSettings,
  backboneProductionProblems,
  backboneVariables,
} from '../../src/backbone/backbone.settings.js';
import { urlOf } from '../../src/common/config/config-fields.js';
import { parseEnvironment } from '../../src/common/config/environment.js';

/** Its own data folder and queue prefix, so that the program runs beside others. */
const variables = z.object({
  ...backboneVariables,
  DATA_FOLDER: backboneVariables.DATA_FOLDER.default('.sensors'),
  QUEUE_PREFIX: backboneVariables.QUEUE_PREFIX.default('sensors'),
  ALERT_ABOVE_CELSIUS: z.coerce.number().default(30).meta({ description: 'readings above this raise an alert' }),
  ALERT_WEBHOOK_URL: urlOf('http', 'https')
    .optional()
    .meta({ description: 'receives a POST for every alert; alerts are logged when empty' }),
});

export type Config = ReturnType<typeof readConfig>;

/** Injects the configuration: `@Inject(CONFIG) config: Config`. */
export const CONFIG = Symbol('Config');

/** @throws {ConfigInvalid} listing every problem and its remedy */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env) {
  const parsed = parseEnvironment(variables, environment, backboneProductionProblems);
  return {
    ...arrangeBackboneSettings(parsed, Boolean(environment.PORT?.trim())),
    alerts: { aboveCelsius: parsed.ALERT_ABOVE_CELSIUS, webhookUrl: parsed.ALERT_WEBHOOK_URL ?? null },
  };
}
