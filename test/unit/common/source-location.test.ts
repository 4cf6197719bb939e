import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { captureSourceLocation, formatSourceLine, formatSourceLocation, UNKNOWN_LOCATION } from '../../../ts/common/source-location.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';

const THIS_FILE = fileURLToPath(import.meta.url);

/** Stands for a public function of the library. */
function library(): ReturnType<typeof captureSourceLocation> {
  return captureSourceLocation(library);
}

test('the location is that of the call, in the user\'s file', () => {
  const location = library();
  expect(location.file).toBe(THIS_FILE);
  expect(formatSourceLine(location)).toContain('const location = library();');
});

test('frames of our own sources are skipped: the user\'s call of map is found, not what map called', () => {
  const env = new LocalEnvironment('location');
  const stream = env.fromCollection([1]).map((n) => n);
  expect(stream.transformation.declaredAt.file).toBe(THIS_FILE);
  expect(formatSourceLine(stream.transformation.declaredAt)).toContain('env.fromCollection([1]).map(');
});

test('in a chain over several lines each operator has its own line', () => {
  const env = new LocalEnvironment('lines');
  env
    .fromCollection([1])
    .map((n) => n)
    .filter((n) => n > 0);
  const [source, map, filter] = env.pipeline.map((operator) => operator.declaredAt.line);
  expect([map! - source!, filter! - map!]).toEqual([1, 1]);
});

test('the caret stands below the column, behind tabs too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sage-location-'));
  try {
    const file = join(folder, 'pipeline.ts');
    writeFileSync(file, 'first\n\t\tstream.map(3);\n');
    expect(formatSourceLine({ file, line: 2, column: 10 })).toBe('  2 | \t\tstream.map(3);\n    | \t\t       ^');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a source that cannot be read gives no line, and the location still names it', () => {
  expect(formatSourceLine({ file: '[eval]', line: 1, column: 1 })).toBe('');
  expect(formatSourceLine(UNKNOWN_LOCATION)).toBe('');
  expect(formatSourceLocation({ file: '[eval]', line: 1, column: 7 })).toBe('[eval]:1:7');
  expect(formatSourceLocation(UNKNOWN_LOCATION)).toBe('<unknown>');
});

test('capturing leaves the stack format of the process as it was', () => {
  const { stackTraceLimit, prepareStackTrace } = Error;
  library();
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  expect(Error.prepareStackTrace).toBe(prepareStackTrace);
  expect(new Error('plain').stack).toMatch(/^Error: plain\n\s+at /);
});
