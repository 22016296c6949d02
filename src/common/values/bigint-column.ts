/** TypeORM transformer for `bigint` columns, whose values PostgreSQL's driver returns as strings. */
export const bigintColumn = {
  to: (value: number): number => value,
  from: (value: string): number => Number(value),
};
