/** TypeORM transformer for whole numbers beyond 32 bits, which PostgreSQL's driver hands over as text. */
export const bigintColumn = {
  to: (value: number): number => value,
  from: (value: string): number => Number(value),
};
