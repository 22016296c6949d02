import { type Fault, nothingToHeal } from './fault.js';

export const QUEUE_AND_MAIL_FAULTS: readonly Fault[] = [
  {
    kind: 'Redis flushed',
    target: 'redis',
    explainsDuplicates: false,
    durationMs: [0, 300],
    weight: 4,
    countsAs: 'flushall',
    async inject({ rig }) {
      await rig.redis.flush();
      return nothingToHeal;
    },
  },
  {
    kind: 'Redis killed, and started empty',
    target: 'redis',
    explainsDuplicates: false,
    durationMs: [200, 2_000],
    async inject({ rig }) {
      await rig.redis.kill();
      return () => rig.redis.start();
    },
  },
  {
    kind: 'Redis does not answer for some seconds',
    target: 'redis',
    explainsDuplicates: false,
    durationMs: [1_000, 3_000],
    async inject({ rig, random }) {
      await rig.redis.pause(random.between(1_000, 3_000));
      return nothingToHeal;
    },
  },
  {
    kind: 'Redis frozen',
    target: 'redis',
    explainsDuplicates: false,
    durationMs: [1_000, 3_000],
    async inject({ rig }) {
      rig.redis.signal('SIGSTOP');
      return async () => rig.redis.signal('SIGCONT');
    },
  },
  {
    kind: 'mail server answers "try later"',
    target: 'mail',
    explainsDuplicates: false,
    durationMs: [500, 2_500],
    async inject({ rig }) {
      rig.mail.behave('refuses');
      return async () => rig.mail.behave('accepts');
    },
  },
  {
    kind: 'mail server does not answer',
    target: 'mail',
    explainsDuplicates: true,
    durationMs: [1_000, 4_000],
    async inject({ rig }) {
      rig.mail.behave('hangs');
      return async () => rig.mail.behave('accepts');
    },
  },
  {
    kind: 'mail server accepts an e-mail and disconnects',
    target: 'mail',
    explainsDuplicates: true,
    durationMs: [300, 1_500],
    async inject({ rig }) {
      rig.mail.behave('disconnects');
      return async () => rig.mail.behave('accepts');
    },
  },
];
