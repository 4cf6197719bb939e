import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { codeFrame } from '../../../ts/common/code-frame.ts';
import { captureSourceLocation, formatSourceLocation, UNKNOWN_LOCATION } from '../../../ts/common/source-location.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';

const THIS_FILE = fileURLToPath(import.meta.url);

/** Stands for a public function of the library. */
function library(): ReturnType<typeof captureSourceLocation> {
  return captureSourceLocation(library);
}

test('the location is that of the call, in the user\'s file', () => {
  const location = library();
  expect(location.file).toBe(THIS_FILE);
  expect(codeFrame(location)).toContain('const location = library();');
});

test('frames of our own sources are skipped: the user\'s call of map is found, not what map called', () => {
  const env = new LocalEnvironment('location');
  const stream = env.fromCollection([1]).map((n) => n);
  expect(stream.transformation.declaredAt.file).toBe(THIS_FILE);
  expect(codeFrame(stream.transformation.declaredAt)).toContain('env.fromCollection([1]).map(');
});

test('in a chain over several lines each operator has its own line', () => {
  const env = new LocalEnvironment('lines');
  env
    .fromCollection([1])
    .map((n) => n)
    .filter((n) => n > 0);
  const [source, map, filter] = env.pipeline.map((operator) => operator.declaredAt);
  expect([map!.line - source!.line, filter!.line - map!.line]).toEqual([1, 1]);
  // The column is that of the method's name.
  expect(codeFrame(map!, { linesBefore: 0, linesAfter: 0 })).toMatch(/ {4}\.map\(\(n\) => n\)\n +\| {6}\^\^\^$/);
});

test('a place in no file is named as it is', () => {
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
