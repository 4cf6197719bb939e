import { describe, expect, test } from 'vitest';
import { tallyCargoTest, tallyCheck, tallyVitest, totalLine } from '../../../scripts/test-run/tally.mjs';

// Outputs as the tools printed them, shortened.
const cargoOutput = `
   Compiling sage-queue v0.1.0 (crates/sage-queue)
     Running unittests src/lib.rs (target/debug/deps/sage_queue-0c6a3a)

running 3 tests
test channel::tests::gives_what_it_took ... ok
test channel::tests::ends_once ... FAILED
test channel::tests::slow ... ignored

failures:

---- channel::tests::ends_once stdout ----

thread 'channel::tests::ends_once' (812) panicked at src/channel.rs:40:9:
assertion failed: ended, n = 77

thread 'channel::tests::ends_once' (812) panicked at src/channel.rs:40:9:
assertion failed: ended
minimal failing input: n = 3

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s

     Running tests/properties.rs (target/debug/deps/properties-2a1f)
test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.30s

   Doc-tests sage_queue
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.40s
`;
const panic = `thread 'channel::tests::ends_once' (812) panicked at src/channel.rs:40:9:
assertion failed: ended
minimal failing input: n = 3`;
const ended = (code: number, output = '', timedOut = false) => ({ code, output, timedOut });
const vitestReport = (...files: { status: string; tests: string[] }[]): string =>
  JSON.stringify({
    testResults: files.map(({ status, tests }, index) => ({
      name: `test/${index}.test.ts`,
      status,
      message: tests.length === 0 ? 'SyntaxError: Unexpected token' : '',
      assertionResults: tests.map((result, position) => ({ status: result, fullName: `its test ${position}`, failureMessages: [] })),
    })),
  });

describe('cargo test', () => {
  test('adds up every test binary and the examples of the documentation', () => {
    expect(tallyCargoTest(ended(101, cargoOutput))).toEqual({ passed: 43, failed: 1, remarks: ['1 ignored'], failures: [panic] });
  });

  test('that does not compile is one failure', () => {
    const output = 'error[E0308]: mismatched types\nerror: could not compile `sage-frame`';
    expect(tallyCargoTest(ended(101, output))).toEqual({ passed: 0, failed: 1, remarks: ['exit code 101'], failures: [] });
  });

  test('of which one binary aborts is one failure beside the results of the others', () => {
    const output = 'test result: ok. 5 passed; 0 failed; 0 ignored;\nerror: test failed, (signal: 6, SIGABRT)';
    expect(tallyCargoTest(ended(101, output))).toEqual({ passed: 5, failed: 1, remarks: ['exit code 101'], failures: [] });
  });

  test('that found no tests has failed', () => {
    const output = 'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured';
    expect(tallyCargoTest(ended(0, output))).toEqual({ passed: 0, failed: 1, remarks: ['it ran no tests'], failures: [] });
  });

  test('does not count a line of the same words inside the output of a test', () => {
    expect(tallyCargoTest(ended(0, '  test result: ok. 9 passed; 0 failed; 0 ignored')).passed).toBe(0);
  });
});

describe('vitest', () => {
  test('adds up the files and mentions what was skipped', () => {
    const report = vitestReport(
      { status: 'passed', tests: ['passed', 'passed', 'pending'] },
      { status: 'failed', tests: ['passed', 'failed'] },
    );
    expect(tallyVitest(ended(1), report)).toEqual({ passed: 3, failed: 1, remarks: ['1 skipped'], failures: ['test/1.test.ts > its test 1\n'] });
  });

  test('repeats what failed and how, shortened', () => {
    const test = (fullName: string, status: string, failureMessages: string[]) => ({ fullName, status, failureMessages });
    const assertionResults = [test('sums > add up', 'failed', ['Property failed after 3 tests', 'x'.repeat(5000)]), test('sums > of nothing', 'passed', [])];
    const { failures } = tallyVitest(ended(1), JSON.stringify({ testResults: [{ name: 'test/sums.test.ts', status: 'failed', assertionResults }] }));
    expect(failures).toEqual([expect.stringMatching(/^test\/sums\.test\.ts > sums > add up\nProperty failed after 3 tests\nx+ \.\.\.$/)]);
    expect(failures[0]!.length).toBeLessThan(1600);
  });

  test('counts a file that cannot be loaded as one failure', () => {
    const report = vitestReport({ status: 'passed', tests: ['passed'] }, { status: 'failed', tests: [] });
    expect(tallyVitest(ended(1), report)).toEqual({
      passed: 1,
      failed: 1,
      remarks: ['test/1.test.ts failed outside its tests'],
      failures: ['test/1.test.ts\nSyntaxError: Unexpected token'],
    });
  });

  test('that fails by an unhandled error, with all tests passed, has failed', () => {
    const report = vitestReport({ status: 'passed', tests: ['passed'] });
    expect(tallyVitest(ended(1), report)).toEqual({ passed: 1, failed: 1, remarks: ['exit code 1'], failures: [] });
  });

  test.each([undefined, '', '{"testResults":['])('that leaves the report %j has failed', (report) => {
    expect(tallyVitest(ended(0), report)).toEqual({ passed: 0, failed: 1, remarks: ['vitest left no report'], failures: [] });
  });

  test('that found no tests has failed', () => {
    expect(tallyVitest(ended(0), vitestReport())).toEqual({ passed: 0, failed: 1, remarks: ['it ran no tests'], failures: [] });
  });
});

describe('a check', () => {
  test('counts as one test', () => {
    expect(tallyCheck(ended(0))).toEqual({ passed: 1, failed: 0, remarks: [], failures: [] });
    expect(tallyCheck(ended(2))).toEqual({ passed: 0, failed: 1, remarks: ['exit code 2'], failures: [] });
  });

  test('says when it was ended because it hung', () => {
    expect(tallyCheck(ended(137, '', true)).remarks).toEqual(['its time was up']);
  });
});

test('the last line adds up all runners', () => {
  const tallies = [tallyCheck(ended(0)), tallyCheck(ended(1)), tallyCargoTest(ended(101, cargoOutput))];
  expect(totalLine(tallies)).toBe('44 passed, 2 failed');
});
