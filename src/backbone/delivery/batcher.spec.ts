import { Batcher } from './batcher.js';

/** Work that ends when the test ends it. */
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

/** Resolves when so many batches have started. */
async function started(count: number): Promise<void> {
  while (bench.batches.length < count) await new Promise((resolve) => setImmediate(resolve));
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

test('items that are submitted together, or while a batch runs, share a batch up to its largest size', async () => {
  const batcher = new Batcher(bench.work, 2);
  const first = ['a', 'b'].map((item) => batcher.submit(item));
  await started(1);
  const others = ['c', 'd', 'e'].map((item) => batcher.submit(item));
  bench.end(0);
  await started(2);
  expect(bench.batches).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  bench.end(1);
  await started(3);
  bench.end(2);

  expect(await Promise.all([...first, ...others])).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(bench.batches[2]).toEqual(['e']);
});

test('with batches of one item, no item waits for another', () => {
  const batcher = new Batcher(bench.work, 1);
  void batcher.submit('a');
  void batcher.submit('b');

  expect(bench.batches).toEqual([['a'], ['b']]);
});

test('the items of a batch that fails run one by one, and only the item that fails is rejected', async () => {
  const failing = async (items: readonly string[]): Promise<readonly string[]> => {
    if (items.length > 1) return bench.work(items);
    if (items[0] === 'bad') throw new Error('bad');
    return items;
  };
  const batcher = new Batcher(failing, 3);
  const answers = ['good', 'bad'].map((item) => batcher.submit(item));
  const outcomes = Promise.allSettled(answers);
  await started(1);
  bench.end(0, new Error('together'));

  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(bench.batches).toEqual([['good', 'bad']]);
});

test('all items of a batch are rejected at once when the connection to PostgreSQL is lost', async () => {
  const batcher = new Batcher(bench.work, 3);
  const outcomes = Promise.allSettled(['a', 'b'].map((item) => batcher.submit(item)));
  await started(1);
  bench.end(0, new Error('Connection terminated unexpectedly'));

  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(bench.batches).toEqual([['a', 'b']]);
});

test('a batch that hangs does not block the next one', async () => {
  const batcher = new Batcher(bench.work, 2);
  void batcher.submit('hangs');
  await started(1);
  const other = batcher.submit('b');
  await started(2);
  bench.end(1);

  expect(await other).toBe('B');
});
