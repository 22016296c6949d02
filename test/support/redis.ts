import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** A Redis for one journey: a server of its own, or a part of the one that REDIS_URL names. */
export interface JourneyRedis {
  readonly settings: { readonly REDIS_URL: string; readonly QUEUE_PREFIX: string };
  readonly client: Redis;
  /** Loses everything: FLUSHALL, or what comes to the same where others use the server as well. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

const SHARED_URL = process.env.REDIS_URL;

/**
 * Whether the journeys that need a Redis can run. In CI they have to; elsewhere one loud line tells that they did not.
 */
export const hasRedis = Boolean(SHARED_URL) || spawnSync('redis-server', ['--version']).status === 0;
/** Whether journeys have a server of their own, which they may set as they like. */
export const hasOwnRedis = hasRedis && !SHARED_URL;
if (!hasRedis) sayMissing();

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

/** Once for all test files of one run: each run has a template database of its own, which tells them apart. */
function sayMissing(): void {
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
