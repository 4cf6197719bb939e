/** Of one failure, as it is repeated at the end of a run. */
const LONGEST_FAILURE_CHARACTERS = 1500;

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {string[]} remarks what a reader must know beside the numbers: crashes, skipped tests
 * @property {string[]} failures what failed and how, one text each: a long log is read from its end
 */

/**
 * @typedef {object} RunnerOutcome
 * @property {number} code exit code of the runner
 * @property {string} output
 * @property {boolean} timedOut
 */

/**
 * A check that says yes or no, such as a linter: it counts as one test.
 *
 * @param {RunnerOutcome} outcome
 * @returns {Tally}
 */
export function tallyCheck(outcome) {
  if (outcome.code === 0) return { passed: 1, failed: 0, remarks: [], failures: [] };
  return { passed: 0, failed: 1, remarks: [howItEnded(outcome)], failures: [] };
}

/**
 * Adds up the `test result:` lines of `cargo test`, one per test binary.
 *
 * @param {RunnerOutcome} outcome
 * @returns {Tally}
 */
export function tallyCargoTest(outcome) {
  const tally = { passed: 0, failed: 0, remarks: [], failures: [] };
  // While a property shrinks, it panics again and again: the last one has the smallest input.
  const panics = new Map([...outcome.output.matchAll(/^thread '(\S+)'.* panicked at [^]*?(?=\n\n)/gm)].map(([text, name]) => [name, text]));
  for (const [, name] of outcome.output.matchAll(/^test (\S+).* \.\.\. FAILED$/gm)) tally.failures.push(shortened(panics.get(name) ?? name));
  let ignored = 0;
  const line = /^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored/gm;
  for (const [, passed, failed, skipped] of outcome.output.matchAll(line)) {
    tally.passed += Number(passed);
    tally.failed += Number(failed);
    ignored += Number(skipped);
  }
  if (ignored > 0) tally.remarks.push(`${ignored} ignored`);
  return refuseSilence(tally, outcome);
}

/**
 * Reads the report of vitest's JSON reporter. A file that cannot be loaded has no tests in the report, so it
 * counts as one failure by itself.
 *
 * @param {RunnerOutcome} outcome
 * @param {string | undefined} reportText `undefined` when vitest wrote none
 * @returns {Tally}
 */
export function tallyVitest(outcome, reportText) {
  const tally = { passed: 0, failed: 0, remarks: [], failures: [] };
  let report;
  try {
    report = JSON.parse(reportText ?? '');
  } catch {
    tally.remarks.push('vitest left no report');
    tally.failed = 1;
    return refuseSilence(tally, outcome);
  }
  let skipped = 0;
  for (const file of report.testResults) {
    const count = (status) => file.assertionResults.filter((test) => test.status === status).length;
    tally.passed += count('passed');
    tally.failed += count('failed');
    for (const { status, fullName, failureMessages = [] } of file.assertionResults) {
      if (status === 'failed') tally.failures.push(shortened(`${file.name} > ${fullName}\n${failureMessages.join('\n')}`));
    }
    skipped += file.assertionResults.length - count('passed') - count('failed');
    if (file.status === 'failed' && count('failed') === 0) {
      tally.failed += 1;
      tally.remarks.push(`${file.name} failed outside its tests`);
      if (file.message) tally.failures.push(shortened(`${file.name}\n${file.message}`));
    }
  }
  if (skipped > 0) tally.remarks.push(`${skipped} skipped`);
  return refuseSilence(tally, outcome);
}

/** The start of a report: names, the seed and the counterexample come before the stack. */
function shortened(text) {
  return text.length <= LONGEST_FAILURE_CHARACTERS ? text : `${text.slice(0, LONGEST_FAILURE_CHARACTERS)} ...`;
}

/** A runner that crashed, or that ran nothing, must not look like one where all is well. */
function refuseSilence(tally, outcome) {
  if (outcome.code !== 0 && tally.failed === 0) {
    tally.failed = 1;
    tally.remarks.push(howItEnded(outcome));
  } else if (tally.passed + tally.failed === 0) {
    tally.failed = 1;
    tally.remarks.push('it ran no tests');
  }
  return tally;
}

function howItEnded({ code, timedOut }) {
  return timedOut ? 'its time was up' : `exit code ${code}`;
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {string} the last line of a run: `N passed, N failed`
 */
export function totalLine(tallies) {
  const sum = (which) => tallies.reduce((total, tally) => total + tally[which], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed`;
}
