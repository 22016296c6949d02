import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program that takes orders. */
export interface Program {
  readonly main: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The built program, as somebody would run it in production. */
export const ORDERLY: Program = { main: resolve('dist/main.js'), environment: { SMTP_URL: 'mailbox' } };

/** Save, emit after the commit, add a job: the pattern that tutorials teach. It sends no mail while its worker is off. */
export const TUTORIAL: Program = {
  main: fileURLToPath(new URL('../../test/faults/tutorial/main.js', import.meta.url)),
  environment: { SMTP_URL: 'smtp://127.0.0.1:1' },
};

/** Both answer it when they can reach their database. */
export const HEALTH = '/health/ready';
