import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program that accepts orders. */
export interface Program {
  readonly main: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The built program, as in production. */
export const ORDERLY: Program = { main: resolve('dist/main.js'), environment: { SMTP_URL: 'mailbox' } };

/** The tutorial pattern: save, emit after the commit, add a job. It sends no e-mails with `WORKERS=off`. */
export const TUTORIAL: Program = {
  main: fileURLToPath(new URL('../../test/faults/tutorial/main.js', import.meta.url)),
  environment: { SMTP_URL: 'smtp://127.0.0.1:1' },
};

/** Both programs answer 200 here when they can reach their database. */
export const HEALTH = '/health/ready';
