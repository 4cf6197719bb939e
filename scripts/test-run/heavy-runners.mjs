import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectNode, projectRoot } from '../setup/project.mjs';
import { commandCheck } from './runner.mjs';
import { cargoTest } from './rust-runners.mjs';
import { vitest } from './typescript-runners.mjs';

const rustPropertyCases = process.env.PROPTEST_CASES ?? '4096';
const typescriptPropertyRuns = process.env.SAGE_PROPERTY_RUNS ?? '3000';

/** Every interleaving of the queue and of the wake-up protocol. A target folder of its own: the flag changes all. */
const loom = cargoTest('loom', ['-p', 'sage-queue', '--release', '--test', 'loom_*'], {
  RUSTFLAGS: '--cfg loom',
  CARGO_TARGET_DIR: join(projectRoot, 'target', 'loom'),
  // The models are small; linking them as the addon is linked would take longer than running them.
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
});

/** The test files that draw random cases with fast-check. */
function propertyTestFiles() {
  const files = readdirSync(join(projectRoot, 'test'), { recursive: true });
  return files
    .map((file) => `test/${String(file).replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => /from 'fast-check'/.test(readFileSync(join(projectRoot, file), 'utf8')))
    .sort();
}

/**
 * Every row of the benchmarks, short: wrong answers, too many crossings and falling back from fused code fail it. How fast it
 * is does not: that is for a quiet machine.
 */
const benchmarks = [
  commandCheck('benchmarks, quick', ['ts'], projectNode, [join(projectRoot, 'bench', 'run.mjs'), 'main.ts', '--quick', '--rounds', '1']),
  commandCheck('micro benchmarks, quick', ['ts'], projectNode, [join(projectRoot, 'bench', 'run.mjs'), 'micro/main.ts', '--quick']),
  commandCheck('tsc of the benchmarks', ['ts'], projectNode, [
    join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    join(projectRoot, 'bench', 'tsconfig.json'),
  ]),
];

/** What takes too long for every change: run by `.ci/run` after `npm test`. */
export function heavyRunners() {
  const files = propertyTestFiles();
  const longTypescript = `long property runs, TypeScript (${typescriptPropertyRuns} a property)`;
  return [
    loom,
    cargoTest(`long property runs, Rust (${rustPropertyCases} a property)`, undefined, {
      PROPTEST_CASES: rustPropertyCases,
    }),
    files.length === 0
      ? { name: longTypescript, groups: ['ts'], run: async () => ({ passed: 0, failed: 1, remarks: ['no such test file'] }) }
      : vitest(longTypescript, files, { SAGE_PROPERTY_RUNS: typescriptPropertyRuns }),
    ...benchmarks,
  ];
}
