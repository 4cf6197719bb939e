import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeFrame } from '../../../ts/common/code-frame.ts';
import { UNKNOWN_LOCATION } from '../../../ts/common/source-location.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-frame-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The frame of a text as the file of a user. */
function frameOf(text: string, line: number, column: number, options?: Parameters<typeof codeFrame>[1]): string {
  const file = join(folder, 'pipeline.ts');
  writeFileSync(file, text);
  return codeFrame({ file, line, column }, options);
}

test('two lines before, the line, carets below the method that was called, one line after', () => {
  const text = ['// 1', '// 2', 'env', '  .fromCollection([1])', '  .map(3)', '  .print();', '// 7'].join('\n');
  expect(frameOf(text, 5, 4)).toBe(
    ['    3 | env', '    4 |   .fromCollection([1])', '  > 5 |   .map(3)', '      |    ^^^', '    6 |   .print();'].join('\n'),
  );
});

test('line numbers of different length stand in one column', () => {
  const text = Array.from({ length: 12 }, (_, n) => `line(${n + 1});`).join('\n');
  expect(frameOf(text, 9, 1)).toBe(
    ['     7 | line(7);', '     8 | line(8);', '  >  9 | line(9);', '       | ^^^^', '    10 | line(10);'].join('\n'),
  );
});

test('the first and the last line of a file', () => {
  expect(frameOf('f();\n', 1, 1)).toBe('  > 1 | f();\n      | ^');
  expect(frameOf('f();\r\ng();\r\n', 2, 1)).toBe('    1 | f();\n  > 2 | g();\n      | ^');
});

test('new is marked with its class, and anything that is no name with one caret', () => {
  expect(frameOf('const e = new sage.Environment(3);', 1, 11)).toContain('|           ^^^^^^^^^^^^^^^^^^^^\n'.trimEnd());
  expect(frameOf('f(1)(2);', 1, 5)).toMatch(/\| {5}\^$/);
});

test('the caret stands below the column behind tabs too', () => {
  expect(frameOf('\t\tstream.map(3);', 1, 10)).toBe('  > 1 | \t\tstream.map(3);\n      | \t\t       ^^^');
});

test('of the line of a bundle the part around the column is shown', () => {
  const frame = frameOf(`${'a'.repeat(1e6)}.map(3)${'b'.repeat(1e6)}`, 1, 1e6 + 2);
  const [line, carets] = frame.split('\n');
  expect(line!.length).toBeLessThan(200);
  expect(line!.slice(carets!.indexOf('^'), carets!.lastIndexOf('^') + 1)).toMatch(/^map/);
  expect(line).toContain('.map(3)');
});

test('a place that is not there gives no frame: eval, nowhere, a file that is gone, or one that was changed since', () => {
  expect(codeFrame({ file: '[eval]', line: 1, column: 1 })).toBe('');
  expect(codeFrame(UNKNOWN_LOCATION)).toBe('');
  expect(codeFrame({ file: join(folder, 'gone.ts'), line: 1, column: 1 })).toBe('');
  expect(frameOf('f();', 9, 1)).toBe('');
  expect(frameOf('f();', 1, 40)).toBe('');
});
