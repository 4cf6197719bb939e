import { readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fetchNode } from '../setup/fetch-node.mjs';
import { projectNode, projectRoot } from '../setup/project.mjs';
import { commandCheck } from './runner.mjs';
import { cargoTest } from './rust-runners.mjs';
import { vitest } from './typescript-runners.mjs';

const rustPropertyCases = process.env.PROPTEST_CASES ?? '512';
const typescriptPropertyRuns = process.env.SAGE_PROPERTY_RUNS ?? '500';

/**
 * Each case of these waits for the disk, or for epochs of a job, some dozens of times: as many of them as of the others would take longer than all of those together.
 * The variable of a long run overrules what a property says itself.
 */
const propertiesOnDisk = [
  'the_files_together_hold_exactly_the_records',
  'records_come_out_as_they_went_in',
  'the_store_on_disk_is_a_map',
  'given_crashes_after_checkpoints_when_a_sink_goes_on',
  'given_stops_and_crashes_when_a_sink_goes_on',
  'given_keyed_state_that_is_killed_when_it_goes_on_with_other_instances',
];
const testsOnDisk = ['partitions', 'spill_queue', 'store_oracle', 'prepared_sinks', 'stopped_sinks', 'native_state_epochs'];
/** Each case of this reads files of all formats, some times over: `npm test` draws as many as there is time for, and no long run draws more. */
const neverLong = ['given_positions_at_random_points_when_others_go_on'];
const casesOnDisk = String(Math.ceil(Number(rustPropertyCases) / 8));

/** Every interleaving of the queue and of the wake-up protocol. A target folder of its own: the flag changes all. */
const loom = cargoTest('loom', ['-p', 'sage-queue', '--release', '--test', 'loom_*'], {
  RUSTFLAGS: '--cfg loom',
  CARGO_TARGET_DIR: join(projectRoot, 'target', 'loom'),
  // The models are small; linking them as the addon is linked would take longer than running them.
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
});

/** Seeds of docs/internals/simulation.md. */
const simulatedSeeds = '5000';

/** The test files that import one of these modules: that tells what they do. */
function testFilesThatImport(modules) {
  const files = readdirSync(join(projectRoot, 'test'), { recursive: true });
  return files
    .map((file) => `test/${String(file).replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => {
      const text = readFileSync(join(projectRoot, file), 'utf8');
      return modules.some((module) => text.includes(`from '${module}'`) || text.includes(`import('${module}')`));
    })
    .sort();
}

/** vitest over the files that import one of these modules; no such file is a failure, not a success. */
function longVitest(name, modules, env) {
  const files = testFilesThatImport(modules);
  if (files.length > 0) return vitest(name, files, env);
  return { name, groups: ['ts'], run: async () => ({ passed: 0, failed: 1, remarks: ['no such test file'], failures: [] }) };
}

/** What draws its cases in a module beside the test, for generated code and for the linked form. */
const oracles = ['windows', 'custom-triggers', 'clock-windows', 'zoned-windows', 'joins', 'late-joins', 'table-joins', 'connect', 'lookups'].map((what) => `./describe-${what}.ts`);

/** One of each line that the package supports. */
const SUPPORTED_NODES = ['22.23.3', '24.21.0', '26.10.0'];

/** The packed package, installed and run on each Node. */
const installedOnEachNode = {
  name: `installed from tarballs, on Node ${SUPPORTED_NODES.join(', ')}`,
  groups: ['ts'],
  run: async () => {
    const nodes = [];
    for (const version of SUPPORTED_NODES) nodes.push(await fetchNode(version));
    return vitest('installed', ['test/install/install.test.ts'], { SAGE_INSTALL_NODES: nodes.join(delimiter) }).run();
  },
};

/**
 * Every row of the benchmarks, short: wrong answers, too many crossings and falling back from fused code fail it. How fast it
 * is does not: that is for a quiet machine.
 */
const benchmarks = [
  commandCheck('benchmarks, quick', ['ts'], projectNode, [join(projectRoot, 'bench', 'run.mjs'), 'main.ts', '--quick', '--rounds', '1']),
  commandCheck('micro benchmarks, quick', ['ts'], projectNode, [join(projectRoot, 'bench', 'run.mjs'), 'micro/main.ts', '--quick']),
  commandCheck('standard input, half a GiB', ['ts'], projectNode, [join(projectRoot, 'bench', 'run.mjs'), 'standard-input/main.ts', '--gib', '0.5']),
  commandCheck('ten million keys on disk, within 1 GiB', ['ts'], projectNode, [join(projectRoot, 'bench', 'state-store', 'ten-million-keys.ts')]),
  commandCheck('sessions of two weeks keep no memory', ['ts'], projectNode, ['--expose-gc', join(projectRoot, 'bench', 'session-memory', 'session-week.ts'), '50000']),
  commandCheck('tsc of the benchmarks', ['ts'], projectNode, [
    join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    join(projectRoot, 'bench', 'tsconfig.json'),
  ]),
];

/** What takes too long for every change: run by `.ci/run` after `npm test`. */
export function heavyRunners() {
  return [
    loom,
    cargoTest(`simulation (${simulatedSeeds} seeds)`, ['--workspace', '--test', 'simulation'], { SAGE_SIM_SEEDS: simulatedSeeds }),
    cargoTest(`long property runs, Rust (${rustPropertyCases} a property)`, undefined, { PROPTEST_CASES: rustPropertyCases }, [...propertiesOnDisk, ...neverLong]),
    cargoTest(`long property runs on disk, Rust (${casesOnDisk} a property)`, ['--workspace', ...testsOnDisk.flatMap((test) => ['--test', test])], { PROPTEST_CASES: casesOnDisk }),
    longVitest(`long property runs, TypeScript (${typescriptPropertyRuns} a property)`, ['fast-check', './random/describe-random-graphs.ts'], { SAGE_PROPERTY_RUNS: typescriptPropertyRuns }),
    longVitest(`long property runs, windows and joins against their definitions (${typescriptPropertyRuns} a property)`, oracles, { SAGE_PROPERTY_RUNS: typescriptPropertyRuns }),
    installedOnEachNode,
    longVitest('long chaos tests', ['./support/heavy.ts'], { SAGE_HEAVY: '1' }),
    ...benchmarks,
  ];
}
