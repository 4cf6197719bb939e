import { totalLine } from './tally.mjs';

/**
 * Runs the runners one after the other, with a heading each and one last line that adds them up.
 *
 * @param {readonly import('./runner.mjs').Runner[]} runners
 * @returns {Promise<boolean>} whether everything passed
 */
export async function runAll(runners) {
  const tallies = [];
  const summary = [];
  for (const runner of runners) {
    console.log(`\n== ${runner.name}`);
    const startedAt = performance.now();
    const tally = await runner.run().catch(crashed);
    tallies.push(tally);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const remarks = tally.remarks.length === 0 ? '' : ` (${tally.remarks.join('; ')})`;
    summary.push(`${tally.failed === 0 ? 'ok    ' : 'FAILED'} ${runner.name}: ${totalLine([tally])}${remarks}, ${seconds} s`);
    console.log(summary.at(-1));
  }
  console.log(`\n== summary\n${summary.join('\n')}\n`);
  console.log(totalLine(tallies));
  return tallies.every((tally) => tally.failed === 0);
}

function crashed(error) {
  console.error(error);
  return { passed: 0, failed: 1, remarks: ['the runner itself crashed'] };
}
