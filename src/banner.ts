import type { RunningProgram } from './backbone/program.js';
import type { Config } from './config.js';
import { orderableSku, orderOf } from './demo.js';

/** The text that the terminal shows after the start. It names only what this process has. */
export async function bannerOf({ url, postgres }: RunningProgram, config: Config, startMs: number): Promise<string> {
  const isHere = (module: string) => config.modules?.includes(module) ?? true;
  const sku = isHere('orders') && isHere('inventory') ? await orderableSku(url) : undefined;
  const { redisUrl } = config.queue;
  const hasMailbox = isHere('notifications') && !config.mail.smtpUrl;
  const lines = [
    '',
    `  Orderly is open after ${(startMs / 1000).toFixed(1)} s`,
    '',
    `  API          ${url}/v1`,
    `  Swagger UI   ${url}/docs`,
    ...(hasMailbox ? [`  Mailbox      ${url}/mailbox`] : []),
    `  Health       ${url}/health/ready`,
    '',
    ...(config.modules ? [`  Modules      ${config.modules.join(', ')} (MODULES: all when empty)`] : []),
    postgres
      ? `  Database     embedded PostgreSQL ${postgres.version}, data in ${postgres.dataFolder} (DATABASE_URL: your own)`
      : '  Database     the one of DATABASE_URL',
    redisUrl
      ? '  Queues       BullMQ on the Redis of REDIS_URL'
      : '  Queues       BullMQ on PostgreSQL (REDIS_URL: on Redis)',
    ...(isHere('notifications') ? [mailOf(config)] : []),
    '',
    ...(sku ? ['  Place an order:', '', curlOf(url, sku), ''] : []),
    '  Ctrl-C stops. The data stays.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function mailOf({ mail }: Config): string {
  return mail.smtpUrl
    ? '  Mail         sent through SMTP_URL'
    : '  Mail         kept in the mailbox (SMTP_URL: your mail server)';
}

function curlOf(url: string, sku: string): string {
  return `  curl -i ${url}/v1/orders -H 'content-type: application/json' -d '${JSON.stringify(orderOf(sku, 'maria@example.com'))}'`;
}
