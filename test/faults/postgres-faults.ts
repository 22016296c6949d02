import { Client } from 'pg';
import { until } from '../support/until.js';
import { type Fault, nothing } from './fault.js';

const CONNECTIONS = 120;
/** Where something else is broken as well, it takes a while until somebody commits. */
const COMMITS_WITHIN_MS = 15_000;

export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    kind: 'PostgreSQL stopped at once, and started again',
    target: 'postgres',
    explains: true,
    lasts: [0, 2_000],
    cards: 2,
    counts: 'postgres-crash',
    async strike({ rig }) {
      await rig.postgres.crash();
      return async () => void (await rig.postgres.start());
    },
  },
  {
    kind: 'PostgreSQL crashes, and recovers',
    target: 'postgres',
    explains: true,
    lasts: [0, 300],
    cards: 2,
    counts: 'postgres-crash',
    async strike({ rig, failed }) {
      if (!(await rig.postgres.killBackend())) failed();
      return nothing;
    },
  },
  {
    kind: 'half of the backends terminated',
    target: 'postgres',
    explains: true,
    lasts: [0, 300],
    async strike({ rig }) {
      await rig.postgres.sql(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.5`);
      return nothing;
    },
  },
  {
    kind: 'no connection left',
    target: 'postgres',
    explains: true,
    lasts: [500, 2_000],
    async strike({ rig }) {
      const clients = Array.from({ length: CONNECTIONS }, () => new Client({ connectionString: rig.postgres.url }));
      for (const client of clients) client.on('error', () => undefined);
      await Promise.allSettled(clients.map((client) => client.connect()));
      return async () => void (await Promise.allSettled(clients.map((client) => client.end())));
    },
  },
  {
    kind: 'stock locked by somebody else',
    target: 'postgres',
    explains: false,
    // Longer than a statement waits for a lock, now and then.
    lasts: [1_000, 12_500],
    async strike({ rig }) {
      const client = new Client({ connectionString: rig.postgres.url });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${rig.subject.hotTable} IN ACCESS EXCLUSIVE MODE`);
      return () => client.end();
    },
  },
  {
    kind: 'disk full',
    target: 'postgres',
    explains: true,
    lasts: [1_000, 3_000],
    isPossible: ({ disk }) => disk !== undefined,
    async strike({ rig }) {
      await rig.disk?.fill();
      return async () => {
        await rig.disk?.free();
        await rig.postgres.recover();
      };
    },
  },
  {
    kind: 'connections to PostgreSQL cut',
    target: 'network',
    explains: true,
    lasts: [0, 300],
    async strike({ rig }) {
      rig.proxy.cut();
      return nothing;
    },
  },
  {
    kind: 'network to PostgreSQL silent',
    target: 'network',
    explains: true,
    lasts: [1_000, 4_000],
    async strike({ rig }) {
      rig.proxy.freeze();
      return async () => rig.proxy.thaw();
    },
  },
  {
    kind: 'COMMITs lost on their way',
    target: 'network',
    explains: true,
    lasts: [500, 1_500],
    async strike({ rig, random, failed }) {
      const before = rig.proxy.lost;
      rig.proxy.loseCommits(random.between(1, 6));
      return async () => {
        await until('a COMMIT was lost', () => rig.proxy.lost > before, COMMITS_WITHIN_MS).catch(failed);
        rig.proxy.loseCommits(0);
      };
    },
  },
  {
    kind: 'answers to COMMIT lost',
    target: 'network',
    explains: true,
    lasts: [500, 1_500],
    async strike({ rig, random, failed }) {
      const before = rig.proxy.lost;
      rig.proxy.loseRepliesToCommits(random.between(1, 6));
      return async () => {
        await until('an answer was lost', () => rig.proxy.lost > before, COMMITS_WITHIN_MS).catch(failed);
        rig.proxy.loseRepliesToCommits(0);
      };
    },
  },
];
