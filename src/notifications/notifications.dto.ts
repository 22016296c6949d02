import { z } from 'zod';
import { text } from '../common/http/fields.js';
import { pageQuery } from '../common/http/pagination.js';
import { MESSAGE_STATES, type Message } from './message.entity.js';

export const messageView = z
  .object({
    id: z.uuid(),
    subject: z.string().meta({ description: 'The id of the order, or the SKU' }),
    template: z.string().meta({ example: 'order-confirmed' }),
    channel: z.literal('email'),
    recipient: z.string().meta({ example: 'maria@example.com' }),
    state: z.enum(MESSAGE_STATES),
    eventId: z.uuid().meta({ description: 'Id of the event that caused the message' }),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime().nullable(),
    attempts: z.int().min(1),
  })
  .meta({ id: 'Notification' });
export type MessageView = z.infer<typeof messageView>;

export const messageQuery = z.strictObject({
  subject: text(100).optional().meta({ description: 'The id of an order, or a SKU' }),
  state: z.enum(MESSAGE_STATES).optional(),
  ...pageQuery,
});
export type MessageQuery = z.output<typeof messageQuery>;

/** The message as the API shows it. */
export function messageViewOf(message: Message): MessageView {
  const { id, subject, template, channel, recipient, state, eventId, attempts } = message;
  const createdAt = message.createdAt.toISOString();
  const sentAt = message.sentAt?.toISOString() ?? null;
  return { id, subject, template, channel, recipient, state, eventId, createdAt, sentAt, attempts };
}
