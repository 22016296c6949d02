import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'readings', name: 'reading' })
export class Reading {
  /** UUIDv7: newer ones are greater. */
  @PrimaryColumn('uuid')
  declare readonly id: string;

  @Column('text')
  declare readonly sensor: string;

  @Column('double precision')
  declare readonly celsius: number;

  @Column('timestamptz', { name: 'taken_at' })
  declare readonly takenAt: Date;
}
