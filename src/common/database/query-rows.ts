import type { EntityManager } from 'typeorm';

/** Returns the rows of a statement. TypeORM returns those of UPDATE and DELETE in a pair with their number. */
export async function queryRows<Row>(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const answer: unknown[] = await manager.query(sql, [...parameters]);
  const isPair = answer.length === 2 && Array.isArray(answer[0]) && typeof answer[1] === 'number';
  return (isPair ? answer[0] : answer) as Row[];
}
