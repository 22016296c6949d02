import { buildWith } from '../support/builds.js';
import { PLANTED } from './planted.js';

test.each(PLANTED)('the mistake "$name" can still be planted', async ({ edits }) => {
  await expect(buildWith('planted', edits)).resolves.toMatch(/main\.js$/);
});

test('a mistake that the source has no place for is refused', async () => {
  const edit = { file: 'main.js', replace: 'no such text', by: '' };
  await expect(buildWith('planted', [edit])).rejects.toThrow('main.js has 0 times: no such text');
});
