/**
 * The benchmarks of whole pipelines, beside their peers.
 *
 *     npm run bench -- [--only <row>[,<row>]] [--variant <name>] [--quick] [--rounds <n>] [--check] [--name <results>] [--list]
 *     npm run bench -- --profile --only <row> [--variant <name>]     where the time of our variants goes
 *     npm run bench -- --name reference && npm run bench -- --table   measures for bench/README.md, and writes its table
 */
import { parseArgs } from 'node:util';

import { describeMachine } from './harness/machine.ts';
import { formatRow } from './harness/print-row.ts';
import { updateReadme } from './harness/readme-table.ts';
import { keepRow, resultsPath } from './harness/results-file.ts';
import { type RunSettings, profileCase, runCase } from './harness/run-case.ts';
import { findCase } from './pipelines/all-cases.ts';
import { rows } from './pipelines/rows.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    variant: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    check: { type: 'boolean', default: false },
    name: { type: 'string', default: 'latest.local' },
    profile: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});
const wanted = values.only?.split(',') ?? rows;
const unknown = wanted.filter((row) => !(rows as readonly string[]).includes(row));
if (unknown.length > 0) {
  console.error(`no row ${unknown.join(', ')}; there are ${rows.join(', ')}`);
  process.exit(2);
}
if (values.list) {
  console.log(rows.join('\n'));
  process.exit(0);
}
if (values.table) {
  updateReadme();
  process.exit(0);
}
const settings: RunSettings = {
  quick: values.quick,
  rounds: values.rounds === undefined ? undefined : Number(values.rounds),
  variant: values.variant,
  say: (line) => process.stderr.isTTY && process.stderr.write(`${line}\n`),
};
if (values.profile) {
  for (const row of wanted) console.log((await profileCase(await findCase(row), settings)).join('\n'));
  process.exit(0);
}
const machine = describeMachine();
console.log(`Node ${machine.node} (V8 ${machine.v8}), ${machine.os}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, load ${machine.load}; commit ${machine.commit}; ${machine.takenAt}`);
if (machine.load > machine.cores / 2) console.log(`The machine is busy (load ${machine.load}): trust ratios of least times, not absolute times.`);

let faults = 0;
let misses = 0;
let failing = 0;
for (const row of wanted) {
  const result = await runCase(await findCase(row), settings);
  console.log(formatRow(result));
  keepRow(values.name, result, describeMachine(), values.quick);
  faults += result.faults.length;
  misses += result.judgements.filter(({ verdict }) => verdict === 'MISS').length;
  failing += result.judgements.filter(({ failsCheck }) => failsCheck).length;
}
console.log(`\n${faults} faults, ${misses} goals missed; written to ${resultsPath(values.name)}`);
if (faults > 0 || (values.check && failing > 0)) process.exitCode = 1;
