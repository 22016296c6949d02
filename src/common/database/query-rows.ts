import type { EntityManager } from 'typeorm';

/** Rows of a statement. TypeORM wraps those of UPDATE and DELETE in a pair with their number. */
export async function queryRows<Row>(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const answer: unknown[] = await manager.query(sql, [...parameters]);
  const paired = answer.length === 2 && Array.isArray(answer[0]) && typeof answer[1] === 'number';
  return (paired ? answer[0] : answer) as Row[];
}
