import fc from 'fast-check';
import { expect, test } from 'vitest';

import { shortenText, textColumns } from '../../../ts/common/text-columns.ts';

test.each([
  ['', 0],
  ['source', 6],
  ['größer', 6],
  ['gro\u0308ßer', 6],
  ['数据', 4],
  ['データ', 6],
  ['🚀 go', 5],
  ['a\u200Bb', 2],
])('%j takes %i columns', (text, columns) => {
  expect(textColumns(text)).toBe(columns);
});

test('a text that has no room ends in an ellipsis, and never takes more than there is', () => {
  expect(shortenText('aggregate', 9)).toBe('aggregate');
  expect(shortenText('aggregate', 8)).toBe('aggrega…');
  expect(shortenText('数据源', 4)).toBe('数…');
  expect(shortenText('anything', 0)).toBe('');
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'ß', '数', '🚀', 'o\u0308') }), fc.nat(40), (text, columns) => {
      const short = shortenText(text, columns);
      expect(textColumns(short)).toBeLessThanOrEqual(columns);
      if (short === text) return;
      expect(text.startsWith(short.replace(/…$/, ''))).toBe(true);
      // No character more would have had room
      expect(textColumns(short)).toBeGreaterThanOrEqual(columns - 1);
    }),
  );
});
