import { Column, Entity, PrimaryColumn } from 'typeorm';

export const MESSAGE_STATES = ['pending', 'sent', 'failed'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/** A message to a customer or an operator: its cause, recipient and state. */
@Entity({ schema: 'notifications', name: 'message' })
export class Message {
  /** UUIDv7, so newer messages have greater ids. */
  @PrimaryColumn('uuid')
  declare readonly id: string;

  @Column('uuid', { name: 'event_id' })
  declare readonly eventId: string;

  @Column('text')
  declare readonly template: string;

  /** The id of the order, or the SKU. */
  @Column('text')
  declare readonly subject: string;

  @Column('text', { name: 'correlation_id' })
  declare readonly correlationId: string;

  @Column('text')
  declare readonly channel: 'email';

  /** Personal data. */
  @Column('text')
  declare readonly recipient: string;

  @Column('text')
  declare readonly state: MessageState;

  @Column('integer')
  declare readonly attempts: number;

  @Column('timestamptz', { name: 'created_at' })
  declare readonly createdAt: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  declare readonly sentAt: Date | null;
}
