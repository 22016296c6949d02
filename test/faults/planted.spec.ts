import { edited } from '../support/builds.js';
import { PLANTED } from './planted.js';

test.each(PLANTED)('the bug "$name" can be planted', async ({ edits }) => {
  for (const edit of edits) expect(await edited(edit)).toContain(edit.by);
});

test('a bug whose text is not in the source is refused', async () => {
  const edit = { file: 'main.js', replace: 'no such text', by: '' };
  await expect(edited(edit)).rejects.toThrow('main.js contains 0 times instead of once: no such text');
});
