import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigInvalid } from '../config/environment.js';
import { codeOf } from '../logging/describe-error.js';

const NEXT_PORTS = 20;

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** False: the port is the default, so another free port may be used. */
  readonly isPortGiven: boolean;
}

/**
 * Listens on the configured port, or on the next free one if the port is the default.
 * Returns the URL for clients on this machine.
 * @throws {ConfigInvalid} when the port is in use
 */
export async function listen(app: NestFastifyApplication, { host, port, isPortGiven }: HttpSettings): Promise<string> {
  const last = isPortGiven ? port : port + NEXT_PORTS;
  for (let candidate = port; candidate <= last; candidate += 1) {
    try {
      await app.listen(candidate, host);
      return await app.getUrl();
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      if (code !== 'EADDRINUSE')
        throw new ConfigInvalid([`HOST, PORT: cannot listen on ${host}:${candidate} (${code})`]);
    }
  }
  throw new ConfigInvalid([
    `PORT: ${port} is taken by another program; set PORT to a free port, or to 0 for any free port`,
  ]);
}
