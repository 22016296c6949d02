import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';

/** The connection pool of a data source. @throws {TypeError} when the data source is not open */
export function poolOf({ driver }: DataSource): Pool {
  if (!('master' in driver)) throw new TypeError('This data source has no connection pool, because it is not open');
  return driver.master as Pool;
}
