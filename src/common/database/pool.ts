import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';

/** The connections behind a data source. @throws {TypeError} where it has none, because it is not open */
export function poolOf({ driver }: DataSource): Pool {
  if (!('master' in driver)) throw new TypeError('This data source has no pool of connections');
  return driver.master as Pool;
}
