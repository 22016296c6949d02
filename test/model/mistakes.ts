/** A mistake in an SQL statement, planted by rewriting the statement before it is sent to PostgreSQL. */
export interface Mistake {
  readonly mistake: string;
  readonly right: string;
  readonly wrong: string;
  readonly shownBy: Place;
}

/** Parameters of fast-check for a short history that shows the mistake, which saves the search and the shrinking. */
export interface Place {
  readonly seed: number;
  readonly path: string;
  readonly replayPath: string;
}

export const MISTAKES: readonly Mistake[] = [
  {
    mistake: 'a claim ignores earlier deliveries of its partition',
    right: 'p.order_key = d.order_key AND p.position < d.position',
    wrong: 'false',
    shownBy: { seed: 3, path: '1:5:3:4:3:3:3', replayPath: 'DDGR:K' },
  },
  {
    mistake: 'a claim ignores the lease of another claim',
    right: 'AND (d.lease_until IS NULL OR d.lease_until < clock_timestamp())',
    wrong: '',
    shownBy: { seed: 1, path: '29:7:6:5:6:3:3:3:4:4', replayPath: 'ALFEAk:q' },
  },
  {
    mistake: 'a claim accepts an outdated job',
    right: ' AND d.claims = w.claims\n     AND e.id',
    wrong: '\n     AND e.id',
    shownBy: { seed: 1, path: '18:3:5:4:4:3:3:3:3', replayPath: 'AALBi:V' },
  },
  {
    mistake: 'a run that has lost its lease still ends the delivery',
    right: ' AND d.claims = w.claims\n    RETURNING',
    wrong: '\n    RETURNING',
    shownBy: { seed: 1, path: '20', replayPath: 'HAAAA:K' },
  },
  {
    mistake: 'the answer to a request is not stored under its key',
    right: 'VALUES ($1, $2, $3, $4, $5, $6)',
    wrong: 'SELECT $1, $2, $3, $4::bytea, $5, $6::json WHERE false',
    shownBy: { seed: 1, path: '0:1:0:0:0', replayPath: 'ABAGADD:VB' },
  },
  {
    mistake: 'a cancelled order releases the reservations of other orders too',
    right: "SET state = $2 WHERE order_id = $1 AND state = 'held'",
    wrong: "SET state = $2 WHERE $1::uuid IS NOT NULL AND state = 'held'",
    shownBy: { seed: 1, path: '29:2:3:3:3:3:3', replayPath: 'APGBAP:q' },
  },
  {
    mistake: 'the relay ignores deliveries that were claimed before',
    right: "WHERE state = 'pending' AND subscriber = wanted.subscriber",
    wrong: "WHERE state = 'pending' AND claims = 0 AND subscriber = wanted.subscriber",
    shownBy: { seed: 3, path: '1:2:4:3:3:2', replayPath: 'DEBAABAO:qC' },
  },
  {
    mistake: 'a dead delivery does not park its partition',
    right: "(p.state = 'pending' OR (w.parks AND p.released_at IS NULL))",
    wrong: "(p.state = 'pending' OR (w.parks AND p.released_at IS NOT NULL))",
    shownBy: { seed: 22, path: '10:8:5:6:5:5', replayPath: 'BEMT:K' },
  },
  {
    mistake: 'a message that was sent is sent again',
    right: "WHERE message.state <> 'sent'",
    wrong: '',
    shownBy: { seed: 1, path: '20:6', replayPath: 'HAAE:K' },
  },
  {
    mistake: 'a replay does not invalidate outdated jobs',
    right: 'claims = d.claims + 1, due_at = clock_timestamp(), finished_at = NULL',
    wrong: 'due_at = clock_timestamp(), finished_at = NULL',
    shownBy: { seed: 3, path: '1:2:4:3:3:2', replayPath: 'DEBAABAO:qC' },
  },
];
