import { Client } from 'pg';
import { until } from '../support/until.js';
import { type Fault, nothingToHeal } from './fault.js';

const CONNECTIONS = 120;
/** With a second active fault, the next commit may take a while. */
const COMMITS_WITHIN_MS = 15_000;

export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    kind: 'PostgreSQL stopped with -m immediate, and started again',
    target: 'postgres',
    explainsDuplicates: true,
    durationMs: [0, 2_000],
    weight: 2,
    countsAs: 'postgres-crash',
    async inject({ rig }) {
      await rig.postgres.crash();
      return async () => void (await rig.postgres.start());
    },
  },
  {
    kind: 'PostgreSQL crashes, and recovers',
    target: 'postgres',
    explainsDuplicates: true,
    durationMs: [0, 300],
    weight: 2,
    countsAs: 'postgres-crash',
    async inject({ rig, failed }) {
      if (!(await rig.postgres.killBackend())) failed();
      return nothingToHeal;
    },
  },
  {
    kind: 'half of the backends terminated',
    target: 'postgres',
    explainsDuplicates: true,
    durationMs: [0, 300],
    async inject({ rig }) {
      await rig.postgres.sql(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.5`);
      return nothingToHeal;
    },
  },
  {
    kind: 'no free connection',
    target: 'postgres',
    explainsDuplicates: true,
    durationMs: [500, 2_000],
    async inject({ rig }) {
      const clients = Array.from({ length: CONNECTIONS }, () => new Client({ connectionString: rig.postgres.url }));
      for (const client of clients) client.on('error', () => undefined);
      await Promise.allSettled(clients.map((client) => client.connect()));
      return async () => void (await Promise.allSettled(clients.map((client) => client.end())));
    },
  },
  {
    kind: 'stock locked by another transaction',
    target: 'postgres',
    explainsDuplicates: false,
    // Sometimes longer than the lock timeout of a statement.
    durationMs: [1_000, 12_500],
    async inject({ rig }) {
      const client = new Client({ connectionString: rig.postgres.url });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${rig.system.hotTable} IN ACCESS EXCLUSIVE MODE`);
      return () => client.end();
    },
  },
  {
    kind: 'disk full',
    target: 'postgres',
    explainsDuplicates: true,
    durationMs: [1_000, 3_000],
    isPossible: ({ disk }) => disk !== undefined,
    async inject({ rig }) {
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
    explainsDuplicates: true,
    durationMs: [0, 300],
    async inject({ rig }) {
      rig.proxy.cut();
      return nothingToHeal;
    },
  },
  {
    kind: 'network to PostgreSQL silent',
    target: 'network',
    explainsDuplicates: true,
    durationMs: [1_000, 4_000],
    async inject({ rig }) {
      rig.proxy.freeze();
      return async () => rig.proxy.thaw();
    },
  },
  {
    kind: 'COMMITs lost before they arrive',
    target: 'network',
    explainsDuplicates: true,
    durationMs: [500, 1_500],
    async inject({ rig, random, failed }) {
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
    explainsDuplicates: true,
    durationMs: [500, 1_500],
    async inject({ rig, random, failed }) {
      const before = rig.proxy.lost;
      rig.proxy.loseRepliesToCommits(random.between(1, 6));
      return async () => {
        await until('an answer was lost', () => rig.proxy.lost > before, COMMITS_WITHIN_MS).catch(failed);
        rig.proxy.loseRepliesToCommits(0);
      };
    },
  },
];
