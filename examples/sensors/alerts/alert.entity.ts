import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'alerts', name: 'alert' })
export class Alert {
  /** UUIDv7: newer ones are greater. */
  @PrimaryColumn('uuid')
  declare readonly id: string;

  @Column('text')
  declare readonly sensor: string;

  /** The temperature that raised the alert. */
  @Column('double precision')
  declare readonly celsius: number;

  @Column('timestamptz', { name: 'raised_at' })
  declare readonly raisedAt: Date;

  @Column('timestamptz', { name: 'cleared_at', nullable: true })
  declare readonly clearedAt: Date | null;
}
