import { describe, expect, test } from 'vitest';
import fc from 'fast-check';

import { LiveBlock } from '../../../ts/cli/progress/live-block.ts';
import { Screen } from './support/screen.ts';

describe('the live block', () => {
  test('is drawn in its own place, longer or shorter, in one write', () => {
    const screen = new Screen(40);
    screen.write('before\n');
    const block = new LiveBlock(screen, [screen]);
    block.show(['one', 'two']);
    expect(screen.text).toBe('before\none\ntwo');
    const { writes } = screen;
    block.show(['three']);
    expect(screen.writes).toBe(writes + 1);
    expect(screen.text).toBe('before\nthree');
    expect(screen.cursor).toEqual({ row: 2, column: 0 });
    block.close();
    expect(screen.text).toBe('before');
    expect(screen.cursor).toEqual({ row: 1, column: 0 });
  });

  test('stands below what others write meanwhile, and waits while they are within a line', () => {
    const screen = new Screen(40);
    const block = new LiveBlock(screen, [screen]);
    block.show(['progress 1']);
    screen.write('a line\n');
    expect(screen.text).toBe('a line');
    block.show(['progress 2']);
    screen.write('half ');
    block.show(['progress 3']);
    expect(screen.text).toBe('a line\nhalf');
    screen.write('and half\n');
    block.show(['progress 4']);
    expect(screen.text).toBe('a line\nhalf and half\nprogress 4');
  });

  test('finds its beginning again on a terminal that has become narrower', () => {
    const screen = new Screen(40);
    screen.write('before\n');
    const block = new LiveBlock(screen, [screen]);
    block.show(['x'.repeat(39), 'short', 'y'.repeat(25)]);
    screen.resize(20);
    block.show(['new']);
    expect(screen.text).toBe('before\nnew');
    screen.resize(60);
    block.show(['newer']);
    expect(screen.text).toBe('before\nnewer');
  });

  test('gives the streams back as they were', () => {
    const screen = new Screen(40);
    const other = new Screen(40);
    const { write } = screen;
    const own = (): boolean => true;
    other.write = own;
    const block = new LiveBlock(screen, [screen, other]);
    expect(screen.write).not.toBe(write);
    block.close();
    expect(screen.write).toBe(write);
    expect(Object.hasOwn(screen, 'write')).toBe(false);
    expect(other.write).toBe(own);
  });

  test('loses nothing that others write, whatever comes when', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-'), maxLength: 30 });
    const step = fc.oneof(
      fc.record({ show: fc.array(line, { maxLength: 5 }) }),
      fc.record({ write: line.map((text) => `${text}.\n`) }),
      fc.record({ resize: fc.integer({ min: 31, max: 90 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const screen = new Screen(80);
        const block = new LiveBlock(screen, [screen]);
        let written = '';
        let shown: readonly string[] = [];
        for (const one of steps) {
          if ('show' in one) block.show((shown = one.show));
          else if ('write' in one) {
            written += one.write;
            shown = [];
            screen.write(one.write);
          } else screen.resize(one.resize);
          const expected = [...written.split('\n').slice(0, -1), ...shown].map((text) => text.trimEnd()).join('\n').trimEnd();
          expect(screen.text).toBe(expected);
        }
        block.close();
        expect(screen.text).toBe(written.split('\n').map((text) => text.trimEnd()).join('\n').trimEnd());
      }),
    );
  });
});
