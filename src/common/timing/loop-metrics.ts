import { defineGauge } from '../metrics/metrics-registry.js';

export const loopRounds = defineGauge({
  name: 'orderly_loop_last_round_timestamp_seconds',
  help: 'Time of the last completed round of a loop of this process, in seconds since 1970.',
  labelNames: ['loop'],
});
