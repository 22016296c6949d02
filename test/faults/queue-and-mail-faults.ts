import { type Fault, nothing } from './fault.js';

export const QUEUE_AND_MAIL_FAULTS: readonly Fault[] = [
  {
    kind: 'Redis flushed',
    target: 'redis',
    explains: false,
    lasts: [0, 300],
    cards: 4,
    counts: 'flushall',
    async strike({ rig }) {
      await rig.redis.flush();
      return nothing;
    },
  },
  {
    kind: 'Redis killed, and started empty',
    target: 'redis',
    explains: false,
    lasts: [200, 2_000],
    async strike({ rig }) {
      await rig.redis.kill();
      return () => rig.redis.start();
    },
  },
  {
    kind: 'Redis answers nobody for a while',
    target: 'redis',
    explains: false,
    lasts: [1_000, 3_000],
    async strike({ rig, random }) {
      await rig.redis.pause(random.between(1_000, 3_000));
      return nothing;
    },
  },
  {
    kind: 'Redis frozen',
    target: 'redis',
    explains: false,
    lasts: [1_000, 3_000],
    async strike({ rig }) {
      rig.redis.signal('SIGSTOP');
      return async () => rig.redis.signal('SIGCONT');
    },
  },
  {
    kind: 'mail server says "later"',
    target: 'mail',
    explains: false,
    lasts: [500, 2_500],
    async strike({ rig }) {
      rig.mail.become('refuses');
      return async () => rig.mail.become('takes');
    },
  },
  {
    kind: 'mail server says nothing',
    target: 'mail',
    explains: true,
    lasts: [1_000, 4_000],
    async strike({ rig }) {
      rig.mail.become('hangs');
      return async () => rig.mail.become('takes');
    },
  },
  {
    kind: 'mail server takes a mail and hangs up',
    target: 'mail',
    explains: true,
    lasts: [300, 1_500],
    async strike({ rig }) {
      rig.mail.become('hangs-up');
      return async () => rig.mail.become('takes');
    },
  },
];
