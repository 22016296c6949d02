import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { BackPressure } from '../../../src/backbone/back-pressure.js';
import { Transactions } from '../../../src/backbone/transaction.js';
import { decodeCursor, type Page, pageOf } from '../../../src/common/http/pagination.js';
import { Reading } from './reading.entity.js';
import { ReadingTaken } from './readings.events.js';

/** Publishers of one subject must hold a common lock; a sensor has no row that could be locked. */
const LOCK_SENSOR = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

@Injectable()
export class ReadingsService {
  constructor(
    private readonly transactions: Transactions,
    private readonly backPressure: BackPressure,
  ) {}

  /** @throws {BacklogTooLarge} */
  take({ sensor, celsius }: Pick<Reading, 'sensor' | 'celsius'>): Promise<Reading> {
    return this.transactions.run(async (tx) => {
      this.backPressure.assertAccepting();
      await tx.query(LOCK_SENSOR, [sensor]);
      const reading: Reading = { id: uuidv7(), sensor, celsius, takenAt: new Date() };
      await tx.manager.insert(Reading, reading);
      tx.publish(ReadingTaken({ sensor, celsius }));
      return reading;
    });
  }

  /** Newest first. */
  list(query: { sensor?: string | undefined; cursor?: string | undefined; limit: number }): Promise<Page<Reading>> {
    const { sensor, cursor, limit } = query;
    const where = {
      ...(sensor !== undefined && { sensor }),
      ...(cursor !== undefined && { id: LessThan(decodeCursor(cursor, z.tuple([z.uuid()]))[0]) }),
    };
    return this.transactions.read(async (manager) => {
      const rows = await manager.find(Reading, { where, order: { id: 'DESC' }, take: limit + 1 });
      return pageOf(rows, limit, ({ id }) => [id]);
    });
  }
}
