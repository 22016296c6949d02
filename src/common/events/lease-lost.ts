/** The claim was taken over by someone else: what this attempt did is rolled back, and it has nothing to book. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** What came of the end of a claim. @throws {LeaseLost} where nothing did */
export function ours<Ended>(ended: Ended | undefined): Ended {
  if (ended === undefined) throw new LeaseLost('The lease ran out during this attempt and someone else took over');
  return ended;
}
