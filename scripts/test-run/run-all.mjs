import { totalLine } from './tally.mjs';

/** Failures that are repeated before the summary: where everything fails, the first ones tell why. */
const MOST_REPEATED = 20;

/**
 * Runs the runners one after the other, with a heading each and one last line that adds them up.
 *
 * @param {readonly import('./runner.mjs').Runner[]} runners
 * @returns {Promise<boolean>} whether everything passed
 */
export async function runAll(runners) {
  const tallies = [];
  const summary = [];
  const failures = [];
  for (const runner of runners) {
    console.log(`\n== ${runner.name}`);
    const startedAt = performance.now();
    const tally = await runner.run().catch(crashed);
    tallies.push(tally);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const remarks = tally.remarks.length === 0 ? '' : ` (${tally.remarks.join('; ')})`;
    summary.push(`${tally.failed === 0 ? 'ok    ' : 'FAILED'} ${runner.name}: ${totalLine([tally])}${remarks}, ${seconds} s`);
    console.log(summary.at(-1));
    failures.push(...tally.failures.map((failure) => `-- ${runner.name}\n${failure}`));
  }
  if (failures.length > 0) console.log(`\n== failures${failures.length > MOST_REPEATED ? `, ${MOST_REPEATED} of ${failures.length}` : ''}\n${failures.slice(0, MOST_REPEATED).join('\n')}`);
  console.log(`\n== summary\n${summary.join('\n')}\n`);
  console.log(totalLine(tallies));
  return tallies.every((tally) => tally.failed === 0);
}

function crashed(error) {
  console.error(error);
  return { passed: 0, failed: 1, remarks: ['the runner itself crashed'], failures: [String(error)] };
}
