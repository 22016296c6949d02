import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** A Redis for one journey: its own server, or a key prefix on the server at REDIS_URL. */
export interface JourneyRedis {
  readonly settings: { readonly REDIS_URL: string; readonly QUEUE_PREFIX: string };
  readonly client: Redis;
  /** FLUSHALL, or the deletion of the own keys on a shared server. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

const SHARED_URL = process.env.REDIS_URL;

/**
 * Whether the journeys that need a Redis can run. In CI they must; elsewhere a warning states that they are skipped.
 */
export const hasRedis = Boolean(SHARED_URL) || spawnSync('redis-server', ['--version']).status === 0;
/** Whether each journey has its own server, whose configuration it may change. */
export const hasOwnRedis = hasRedis && !SHARED_URL;
if (!hasRedis) reportMissing();

export async function startRedis(): Promise<JourneyRedis> {
  const prefix = `journey-${randomBytes(6).toString('hex')}`;
  return SHARED_URL ? shareRedis(SHARED_URL, prefix) : ownRedis(prefix);
}

async function shareRedis(url: string, prefix: string): Promise<JourneyRedis> {
  const client = new Redis(url);
  const wipe = async () => {
    for await (const keys of client.scanStream({ match: `${prefix}:*` })) if (keys.length > 0) await client.del(keys);
  };
  const stop = async () => {
    await wipe();
    client.disconnect();
  };
  return { settings: { REDIS_URL: url, QUEUE_PREFIX: prefix }, client, wipe, stop };
}

async function ownRedis(prefix: string): Promise<JourneyRedis> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', options, { cwd: tmpdir(), stdio: 'ignore' });
  const ended = once(server, 'close');
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await until('Redis answers', async () => (await client.ping()) === 'PONG');
  const stop = async () => {
    client.disconnect();
    server.kill('SIGKILL');
    await ended;
  };
  const wipe = async () => void (await client.flushall());
  return { settings: { REDIS_URL: url, QUEUE_PREFIX: prefix }, client, wipe, stop };
}

/** Prints once per run. The name of the template database, which differs in each run, identifies the run. */
function reportMissing(): void {
  const remedy = 'install redis-server, or set REDIS_URL';
  if (process.env.CI) throw new Error(`The journeys over Redis must run in CI: ${remedy}`);
  const { template } = JSON.parse(readFileSync('.orderly/test/server.json', 'utf8'));
  try {
    writeFileSync(`.orderly/test/no-redis-${template}`, '', { flag: 'wx' });
  } catch {
    return;
  }
  process.stderr.write(`\n!!! THERE IS NO REDIS, SO THE JOURNEYS OVER REDIS ARE SKIPPED: ${remedy} !!!\n\n`);
}
