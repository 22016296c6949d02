import { edited } from '../support/builds.js';
import { PLANTED } from './planted.js';

test.each(PLANTED)('the mistake "$name" can still be planted', async ({ edits }) => {
  for (const edit of edits) expect(await edited(edit)).toContain(edit.by);
});

test('a mistake that the source has no place for is refused', async () => {
  const edit = { file: 'main.js', replace: 'no such text', by: '' };
  await expect(edited(edit)).rejects.toThrow('main.js has 0 times: no such text');
});
