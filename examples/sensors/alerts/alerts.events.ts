import { z } from 'zod';
import { defineEvent, type EventOf } from '../../../src/backbone/domain-event.js';

const subject = ({ alertId }: { alertId: string }): string => `alert/${alertId}`;
const data = z.object({ alertId: z.uuid(), sensor: z.string(), celsius: z.number() });

export const AlertRaised = defineEvent({
  type: 'alerts.alert-raised.v1',
  description: 'The temperature at a sensor rose above the limit.',
  subject,
  data,
});
export type AlertRaised = EventOf<typeof AlertRaised>;

export const AlertCleared = defineEvent({
  type: 'alerts.alert-cleared.v1',
  description: 'The temperature fell to the limit or below it, so the alert is over.',
  subject,
  data,
  allowNoSubscribers: true,
});
