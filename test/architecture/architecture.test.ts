import { describe, expect, test } from 'vitest';
import { bindingBorder } from './rules/binding-border.ts';
import { crateOrder } from './rules/crate-order.ts';
import { environmentVariables } from './rules/environment-variables.ts';
import { externalMemory } from './rules/external-memory.ts';
import { fileCase, fileLength, fileNames } from './rules/file-shape.ts';
import { installedPackages } from './rules/installed-packages.ts';
import { machineTraces } from './rules/machine-traces.ts';
import { namedExports } from './rules/named-exports.ts';
import { pureCompiler, typescriptLayers } from './rules/typescript-layers.ts';
import type { Rule, SourceFile } from './source-tree.ts';
import { readSourceTree } from './source-tree.ts';

const tree = readSourceTree();

/** A rule with samples that show that it can fail, and that it does not cry wolf. */
interface HouseRule {
  readonly says: string;
  readonly rule: Rule;
  readonly broken: readonly (readonly [path: string, text: string])[];
  readonly fine: readonly (readonly [path: string, text: string])[];
}

const rules: readonly HouseRule[] = [
  {
    says: 'TypeScript layers import downwards only',
    rule: typescriptLayers,
    broken: [
      ['ts/common/clock.ts', "import { Job } from '../jobmanager/job.ts';"],
      ['ts/compiler/plan.ts', "import type { Isolate } from '../runtime/isolate.ts';"],
      ['ts/runtime/loop.ts', "import { FileSource } from '../connectors/file-source.ts';"],
      ['ts/functions/ctx.ts', "export { LocalEnvironment } from '../environment/local-environment.ts';"],
      ['ts/functions/lazy.ts', "const job = await import('../jobmanager/job.ts');"],
      ['ts/common/long.ts', "import {\n  a,\n  b,\n} from '../functions/a.ts';"],
      ['ts/common/surface.ts', "import { Job } from '../index.ts';"],
      ['ts/elsewhere/thing.ts', 'export const x = 1;'],
      ['ts/thing.ts', 'export const x = 1;'],
    ],
    fine: [
      ['ts/index.ts', "export { Job } from './jobmanager/job.ts';"],
      ['ts/runtime/loop.ts', "import { compile } from '../compiler/compile.ts';\nimport { x } from './codec/x.ts';"],
      ['ts/common/clock.ts', "// like import { Job } from '../jobmanager/job.ts';\nimport { hrtime } from 'node:process';"],
    ],
  },
  {
    says: 'the compiler and what is below it name no threads, files or processes',
    rule: pureCompiler,
    broken: [['ts/compiler/plan.ts', "import { Worker } from 'node:worker_threads';"]],
    fine: [['ts/runtime/isolate.ts', "import { Worker } from 'node:worker_threads';"]],
  },
  {
    says: 'what a fresh clone type-checks needs no package that only the benchmarks install',
    rule: installedPackages,
    broken: [
      ['ts/common/clock.ts', "import pl from 'nodejs-polars';"],
      ['test/unit/bench/lazy.test.ts', "const pl = await import('nodejs-polars/bin');"],
    ],
    fine: [
      ['bench/pipelines/other.ts', "import pl from 'nodejs-polars';"],
      ['test/unit/a.test.ts', "import { test } from 'vitest';\nimport { join } from 'node:path';\nimport { count } from 'sage-kernel/testing';"],
    ],
  },
  {
    says: 'only ts/runtime/native imports the binding',
    rule: bindingBorder,
    broken: [
      ['ts/runtime/loop.ts', "import type { poll } from './native/generated/binding.d.ts';"],
      ['ts/environment/load.ts', "const addon = require('../../native/sage-kernel.linux-x64-gnu.node');"],
      ['ts/cli/load.ts', 'process.dlopen(module, path);'],
    ],
    fine: [
      ['ts/runtime/native/load.ts', "import type { poll } from './generated/binding.d.ts';\nprocess.dlopen(m, p);"],
      ['ts/runtime/loop.ts', "import { Isolate } from './native/isolate.ts';"],
    ],
  },
  {
    says: 'crates use crates to their left only, and napi stays in sage-node',
    rule: crateOrder,
    broken: [
      ['crates/sage-types/Cargo.toml', '[dependencies]\nsage-frame = { workspace = true }'],
      ['crates/sage-queue/Cargo.toml', '[dependencies]\nsage-state.workspace = true'],
      ['crates/sage-runtime/Cargo.toml', '[dev-dependencies]\nsage-node = { path = "../sage-node" }'],
      ['crates/sage-runtime/Cargo.toml', '[dependencies]\nnapi-derive = "3"'],
      ['crates/sage-frame/Cargo.toml', "[target.'cfg(loom)'.dependencies]\nsage-queue = \"1\""],
      ['crates/sage-frame/Cargo.toml', '[dependencies.sage-runtime]\nworkspace = true'],
      ['crates/sage-extra/Cargo.toml', '[dependencies]'],
    ],
    fine: [
      ['crates/sage-runtime/Cargo.toml', '[dependencies]\nsage-queue = { workspace = true }\nserde = "1"\n[lib]\nname = "x"'],
      ['crates/sage-node/Cargo.toml', '[dependencies]\nnapi = "3"\nsage-runtime = { workspace = true }'],
    ],
  },
  {
    says: 'the binding hands out no memory of its own, which Electron would refuse',
    rule: externalMemory,
    broken: [
      ['crates/sage-node/src/a.rs', 'pub fn batch() -> napi::Result<Uint8Array> {'],
      ['crates/sage-node/src/a.rs', 'Ok(Buffer::from(bytes))'],
      ['crates/sage-node/src/a.rs', 'Uint8ArraySlice::from_external(env, data, len, hint, free)'],
      ['crates/sage-node/src/a.rs', 'unsafe { sys::napi_create_external_arraybuffer(env, data, len, None, null, &mut out) }'],
      ['crates/sage-node/src/a.rs', 'fn handle() -> External<JobCore> {'],
    ],
    fine: [
      ['crates/sage-node/src/a.rs', '// never a Buffer\n#[napi(ts_args_type = "graph: Uint8Array")]\npub fn take(into: Uint8ArraySlice<\'_>, desc: Int32ArraySlice<\'_>, image: &[u8])'],
      ['crates/sage-frame/src/a.rs', 'use arrow_array::Int32Array;'],
    ],
  },
  {
    says: 'no file has more than 500 lines, unless it is generated',
    rule: fileLength,
    broken: [['ts/common/long.ts', 'x;\n'.repeat(501)]],
    fine: [
      ['ts/common/just.ts', 'x;\n'.repeat(500)],
      ['ts/runtime/native/generated/binding.d.ts', 'x;\n'.repeat(900)],
      ['ts/common/codes.ts', `// Generated by scripts/generate-errors.mjs\n${'x;\n'.repeat(900)}`],
    ],
  },
  {
    says: 'no file or folder is a drawer for everything',
    rule: fileNames,
    broken: [
      ['ts/common/utils.ts', ''],
      ['ts/helpers/array.ts', ''],
      ['crates/sage-frame/src/string_helper.rs', ''],
      ['scripts/misc.mjs', ''],
    ],
    fine: [['ts/common/source-location.ts', '']],
  },
  {
    says: 'TypeScript files are kebab-case, Rust files snake_case',
    rule: fileCase,
    broken: [
      ['ts/common/sourceLocation.ts', ''],
      ['ts/common/Clock.ts', ''],
      ['crates/sage-frame/src/batch-view.rs', ''],
    ],
    fine: [
      ['ts/common/error-codes.generated.ts', ''],
      ['test/unit/clock.test.ts', ''],
      ['crates/sage-frame/src/batch_view.rs', ''],
      ['README.md', ''],
    ],
  },
  {
    says: 'nothing tracked knows the machine it was written on, or the registry it was installed from',
    rule: machineTraces,
    broken: [
      ['README.md', `cd ${'/home'}/ada/sage`],
      ['ts/common/a.ts', `const path = '${'/work'}/main/ts';`],
      ['docs/a.md', `see C:${'\\Users'}\\ada`],
      ['bench/report.json', `{"file":"file:///${'root'}/x.ts"}`],
      ['.npmrc', `registry=https://${'registry'}.npmjs.org/`],
      ['package-lock.json', `"resolved": "${'https:'}//example.org/x.tgz"`],
    ],
    fine: [
      ['ts/common/a.ts', "const parts = '/path/to/file'; const tmp = '/tmp';"],
      ['Cargo.lock', 'source = "registry+https://github.com/rust-lang/crates.io-index"'],
      ['docs/a.md', 'the homework/rooted tree'],
    ],
  },
  {
    says: 'exports of the product are named, one by one',
    rule: namedExports,
    broken: [
      ['ts/common/a.ts', 'export default class A {}'],
      ['ts/common/a.ts', 'const a = 1;\nexport { a as default };'],
      ['ts/index.ts', "export * from './common/a.ts';"],
    ],
    fine: [
      ['ts/common/a.ts', 'export const a = 1; // no export default here'],
      ['vitest.config.ts', 'export default {};'],
    ],
  },
  {
    says: 'environment variables are SAGE_* and documented, or a convention',
    rule: environmentVariables,
    broken: [
      ['ts/common/a.ts', 'const level = process.env.LOG_LEVEL;'],
      ['ts/common/a.ts', "const level = process.env['LOG_LEVEL'];"],
      ['ts/common/a.ts', 'const secret = process.env.SAGE_SECRET_SWITCH;'],
      ['ts/common/a.ts', 'const any = process.env[name];'],
      ['crates/sage-types/src/a.rs', 'let level = std::env::var("RUST_LOG");'],
      ['crates/sage-types/src/a.rs', 'let level = std::env::var(name);'],
    ],
    fine: [
      ['ts/common/a.ts', 'const color = process.env.NO_COLOR; spawn(x, { env: { ...process.env } });'],
      ['test/unit/a.test.ts', "const runs = process.env['SAGE_PROPERTY_RUNS'];"],
    ],
  },
];

const sample = ([path, text]: readonly [string, string]): SourceFile & { title: string } => {
  const line = text.replace(/\s+/g, ' ');
  return { path, text, title: line.length > 60 ? `${path}: ${line.slice(0, 60)}...` : `${path}: ${line}` };
};

const violationsIn = (rule: Rule, files: readonly SourceFile[]): string[] =>
  rule(files).map((violation) => `${violation.path}: ${violation.reason}`);

describe('the project', () => {
  test.each(rules)('$says', ({ rule }) => {
    expect(violationsIn(rule, tree)).toEqual([]);
  });

  test('is seen by the rules at all', () => {
    const paths = tree.map((file) => file.path);
    expect(paths).toContain('package.json');
    expect(paths).toContain('crates/sage-types/Cargo.toml');
    expect(paths.filter((path) => path.startsWith('ts/')).length).toBeGreaterThan(10);
  });

  test('finds packages of the benchmarks behind modules that a test imports', () => {
    const module = { path: 'bench/pipelines/rows.ts', text: "import pl from 'nodejs-polars';" };
    const tests = { path: 'test/unit/rows.test.ts', text: "import { rows } from '../../bench/pipelines/rows.ts';" };
    expect(installedPackages([module])).toEqual([]);
    expect(installedPackages([module, tests])).toEqual([{ path: 'bench/pipelines/rows.ts', reason: 'nodejs-polars is installed for the benchmarks only' }]);
  });

  test('documents the variables of the product', () => {
    const product = { path: 'ts/common/a.ts', text: 'if (process.env.SAGE_DEBUG_CODEGEN) explain();' };
    expect(environmentVariables([product, { path: 'docs/a.md', text: '`SAGE_DEBUG_CODEGEN` prints' }])).toEqual([]);
    expect(environmentVariables([product])).toHaveLength(1);
  });
});

describe.each(rules)('the rule that $says', ({ rule, broken, fine }) => {
  test.each(broken.map(sample))('fails for $title', (file) => {
    expect(violationsIn(rule, [file])).toHaveLength(1);
  });

  test.each(fine.map(sample))('accepts $title', (file) => {
    expect(violationsIn(rule, [file])).toEqual([]);
  });
});
