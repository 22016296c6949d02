import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { codeOf } from './common/logging/describe-error.js';
import { type Config, ConfigError } from './config.js';

const NEXT_PORTS = 20;

/**
 * Listens on the wanted port; on the next free one when nobody asked for that port by name.
 * Gives the address for someone on this machine.
 * @throws {ConfigError} when it is taken
 */
export async function listen(
  app: NestFastifyApplication,
  { host, port, portIsGiven }: Config['http'],
): Promise<string> {
  const last = portIsGiven ? port : port + NEXT_PORTS;
  for (let candidate = port; candidate <= last; candidate += 1) {
    try {
      await app.listen(candidate, host);
      return await app.getUrl();
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      if (code !== 'EADDRINUSE') throw new ConfigError([`HOST, PORT: cannot listen on ${host}:${candidate} (${code})`]);
    }
  }
  throw new ConfigError([`PORT: ${port} is taken by another program; set PORT to a free one, or to 0 for any`]);
}
