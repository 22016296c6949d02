import { Batcher } from './batcher.js';

/** Work that is done when the test says so. */
class Bench {
  readonly batches: (readonly string[])[] = [];
  private readonly ends: ((error?: Error) => void)[] = [];

  work = (items: readonly string[]): Promise<string[]> => {
    this.batches.push(items);
    return new Promise((done, fail) =>
      this.ends.push((error) => (error ? fail(error) : done(items.map((item) => item.toUpperCase())))),
    );
  };

  end(nr: number, error?: Error): void {
    this.ends[nr]?.(error);
  }
}

/** Resolves when so many batches have begun. */
async function begun(count: number): Promise<void> {
  while (bench.batches.length < count) await new Promise((resolve) => setImmediate(resolve));
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

test('what is asked for at once, or while something is being done, is done together, and no more of it than fits', async () => {
  const batches = new Batcher(bench.work, 2);
  const first = ['a', 'b'].map((item) => batches.submit(item));
  await begun(1);
  const others = ['c', 'd', 'e'].map((item) => batches.submit(item));
  bench.end(0);
  await begun(2);
  expect(bench.batches).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  bench.end(1);
  await begun(3);
  bench.end(2);

  expect(await Promise.all([...first, ...others])).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(bench.batches[2]).toEqual(['e']);
});

test('one by one, nobody waits for another', () => {
  const batches = new Batcher(bench.work, 1);
  void batches.submit('a');
  void batches.submit('b');

  expect(bench.batches).toEqual([['a'], ['b']]);
});

test('what cannot be done together is done one by one, and who is to blame hears it alone', async () => {
  const failing = async (items: readonly string[]): Promise<readonly string[]> => {
    if (items.length > 1) return bench.work(items);
    if (items[0] === 'bad') throw new Error('bad');
    return items;
  };
  const batches = new Batcher(failing, 3);
  const answers = ['good', 'bad'].map((item) => batches.submit(item));
  const outcomes = Promise.allSettled(answers);
  await begun(1);
  bench.end(0, new Error('together'));

  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(bench.batches).toEqual([['good', 'bad']]);
});

test('when PostgreSQL is lost all hear it at once', async () => {
  const batches = new Batcher(bench.work, 3);
  const outcomes = Promise.allSettled(['a', 'b'].map((item) => batches.submit(item)));
  await begun(1);
  bench.end(0, new Error('Connection terminated unexpectedly'));

  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(bench.batches).toEqual([['a', 'b']]);
});

test('one that hangs holds up nobody else', async () => {
  const batches = new Batcher(bench.work, 2);
  void batches.submit('hangs');
  await begun(1);
  const other = batches.submit('b');
  await begun(2);
  bench.end(1);

  expect(await other).toBe('B');
});
